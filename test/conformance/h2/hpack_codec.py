"""Encodes and decodes HPACK blocks for a test: one JSON request a line on stdin, one JSON answer a line on stdout.

{"encode": [[name, value], ...], "connection": n} -> {"hex": ...}; {"decode": hex} -> {"fields": [...]}.
Each connection number has one encoder; every decode has a decoder of its own. Text is Latin-1.
"""

import collections
import json
import sys

import hpack

encoders = collections.defaultdict(hpack.Encoder)
for line in sys.stdin:
    request = json.loads(line)
    if "encode" in request:
        encoder = encoders[request["connection"]]
        if "table" in request:
            encoder.header_table_size = request["table"]
        fields = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in request["encode"]]
        answer = {"hex": encoder.encode(fields, huffman=request["huffman"]).hex()}
    else:
        decoder = hpack.Decoder(max_header_list_size=1 << 20)
        fields = decoder.decode(bytes.fromhex(request["decode"]), raw=True)
        answer = {"fields": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in fields]}
    print(json.dumps(answer), flush=True)
