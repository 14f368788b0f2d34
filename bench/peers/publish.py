"""Publishes each line of standard input as a persistent message: publish.py URL QUEUE"""
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
persistent = pika.BasicProperties(delivery_mode=2)
for line in sys.stdin.buffer:
    channel.basic_publish('', sys.argv[2], line.rstrip(b'\n'), persistent)
connection.close()
