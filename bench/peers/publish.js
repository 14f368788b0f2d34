// Publishes each line of standard input as a persistent message: publish.js URL QUEUE
const amqp = require('amqplib');

async function main([url, queue]) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  let rest = Buffer.alloc(0);
  const publish = async (line) => {
    if (!channel.sendToQueue(queue, line, { persistent: true })) {
      await new Promise((resolve) => channel.once('drain', resolve));
    }
  };
  for await (const chunk of process.stdin) {
    const text = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    let begin = 0;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, begin)) {
      await publish(text.subarray(begin, end));
      begin = end + 1;
    }
    rest = text.subarray(begin);
  }
  if (rest.length) await publish(rest);
  await channel.close();
  await connection.close();
}

main(process.argv.slice(2));
