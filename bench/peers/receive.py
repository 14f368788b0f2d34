"""Receives one message, as the Python tutorial does: receive.py URL QUEUE"""
import sys

import pika


def received(channel, method, properties, body):
    print(f" [x] Received {body}")
    channel.stop_consuming()


connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue=sys.argv[2], durable=True)
channel.basic_consume(queue=sys.argv[2], on_message_callback=received, auto_ack=True)
channel.start_consuming()
connection.close()
