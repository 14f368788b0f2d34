<?php
// What the PHP peers have in common: the library does not read URLs.
require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;

function connect(string $url): AMQPStreamConnection
{
    $part = parse_url($url);
    $vhost = rawurldecode(substr($part['path'], 1));
    return new AMQPStreamConnection($part['host'], $part['port'], $part['user'], $part['pass'], $vhost);
}
