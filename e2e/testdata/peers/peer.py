"""What the peers share: the connection to the broker at AMQP_URL, by pika, as the Python tutorials do it."""

import os
import sys

import pika

sys.stdout.reconfigure(line_buffering=True)


def connect():
    return pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
