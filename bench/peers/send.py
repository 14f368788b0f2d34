"""Sends one message, as the Python tutorial does: send.py URL QUEUE"""
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue=sys.argv[2], durable=True)
channel.basic_publish(exchange='', routing_key=sys.argv[2], body='Hello World!')
connection.close()
