<?php
// Writes the bodies of N messages to standard output: drain.php URL QUEUE N PREFETCH
require __DIR__ . '/connect.php';

[, $url, $queue, $n, $prefetch] = $argv;
$connection = connect($url);
$channel = $connection->channel();
$channel->basic_qos(0, (int) $prefetch, false);
$done = 0;
$rest = '';
$received = function ($message) use (&$done, &$rest, $n, $prefetch) {
    $rest .= $message->getBody() . "\n";
    $done++;
    if ($done % intdiv($prefetch, 2) === 0 || $done == $n) {
        fwrite(STDOUT, $rest);
        $rest = '';
        $message->ack(true);
    }
};
$channel->basic_consume($queue, '', false, false, false, false, $received);
while ($done < $n) {
    $channel->wait();
}
$connection->close();
