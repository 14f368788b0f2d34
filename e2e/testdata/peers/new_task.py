"""Tutorial 2: publishes its arguments as a persistent task."""

import sys

import pika

from peer import connect

connection = connect()
channel = connection.channel()
channel.queue_declare(queue="task_queue", durable=True)
channel.confirm_delivery()
message = " ".join(sys.argv[1:]) or "Hello World!"
channel.basic_publish(
    exchange="",
    routing_key="task_queue",
    body=message,
    properties=pika.BasicProperties(delivery_mode=2),
)
print(f" [x] Sent {message}")
connection.close()
