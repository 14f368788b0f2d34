"""Writes the bodies of N messages to standard output: drain.py URL QUEUE N PREFETCH"""
import sys

import pika

url, queue, n, prefetch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
out = sys.stdout.buffer
done = 0


def received(channel, method, properties, body):
    global done
    out.write(body)
    out.write(b'\n')
    done += 1
    if done % (prefetch // 2) == 0 or done == n:
        out.flush()
        channel.basic_ack(method.delivery_tag, multiple=True)
    if done == n:
        channel.stop_consuming()


connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.basic_qos(prefetch_count=prefetch)
channel.basic_consume(queue, received)
channel.start_consuming()
connection.close()
