# Publishes each line of standard input as a persistent message: publish.rb URL QUEUE [WINDOW]
# With WINDOW it waits for the confirms whenever so many messages have gone out.
require 'bunny'

url, queue, window = ARGV
window = window.to_i
connection = Bunny.new(url)
connection.start
channel = connection.create_channel
channel.confirm_select if window.positive?
settle = -> { channel.wait_for_confirms || abort('publish.rb: nacked') }
published = 0
$stdin.binmode
$stdin.each_line(chomp: true) do |line|
  channel.basic_publish(line, '', queue, persistent: true)
  published += 1
  settle.call if window.positive? && (published % window).zero?
end
settle.call if window.positive?
connection.close
