# Writes the bodies of N messages to standard output: drain.rb URL QUEUE N PREFETCH
require 'bunny'

url, queue, n, prefetch = ARGV
n = n.to_i
prefetch = prefetch.to_i
connection = Bunny.new(url)
connection.start
channel = connection.create_channel
channel.basic_qos(prefetch)
$stdout.binmode
finished = Queue.new
done = 0
channel.queue(queue, passive: true).subscribe(manual_ack: true) do |delivery, _properties, body|
  $stdout.write(body, "\n")
  done += 1
  if (done % (prefetch / 2)).zero? || done == n
    $stdout.flush
    channel.ack(delivery.delivery_tag, true)
  end
  finished.push(true) if done == n
end
finished.pop
connection.close
