"""Tutorial 1 as its Python edition has it: the queue hello is not durable, or a quorum queue in the newer edition."""

import sys

from peer import connect

connection = connect()
channel = connection.channel()
if "--quorum" in sys.argv:
    channel.queue_declare(queue="hello", durable=True, arguments={"x-queue-type": "quorum"})
else:
    channel.queue_declare(queue="hello")
channel.confirm_delivery()
channel.basic_publish(exchange="", routing_key="hello", body="Hello World!")
print(" [x] Sent 'Hello World!'")
connection.close()
