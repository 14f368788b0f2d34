// Publishes each line of standard input as a persistent message: publish.js URL QUEUE [WINDOW]
// With WINDOW it waits for the confirms whenever so many messages have gone out.
const amqp = require('amqplib');

async function main([url, queue, window = 0]) {
  const connection = await amqp.connect(url);
  const channel = await (window ? connection.createConfirmChannel() : connection.createChannel());
  let rest = Buffer.alloc(0);
  let published = 0;
  const publish = async (line) => {
    if (!channel.sendToQueue(queue, line, { persistent: true })) {
      await new Promise((resolve) => channel.once('drain', resolve));
    }
    if (window && ++published % window === 0) await channel.waitForConfirms();
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
  if (window) await channel.waitForConfirms();
  await channel.close();
  await connection.close();
}

main(process.argv.slice(2));
