<?php
// Publishes each line of standard input as a persistent message: publish.php URL QUEUE [WINDOW]
// With WINDOW it waits for the confirms whenever so many messages have gone out.
require __DIR__ . '/connect.php';

use PhpAmqpLib\Message\AMQPMessage;

[, $url, $queue] = $argv;
$window = (int) ($argv[3] ?? 0);
$connection = connect($url);
$channel = $connection->channel();
if ($window > 0) {
    $channel->confirm_select();
    $channel->set_nack_handler(function () {
        fwrite(STDERR, "publish.php: nacked\n");
        exit(1);
    });
}
$published = 0;
while (($line = fgets(STDIN)) !== false) {
    $message = new AMQPMessage(rtrim($line, "\n"), ['delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT]);
    $channel->basic_publish($message, '', $queue);
    if ($window > 0 && ++$published % $window === 0) {
        $channel->wait_for_pending_acks();
    }
}
if ($window > 0) {
    $channel->wait_for_pending_acks();
}
$connection->close();
