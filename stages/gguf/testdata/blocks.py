"""Writes blocks.safetensors: blocks of every quantised type with the numbers that llama.cpp itself decodes them to.

python3 blocks.py FOLDER, where FOLDER holds libggml-base.so, as in npm's @node-llama-cpp/linux-x64 (3.21.1 was used).
Of each type there are four blocks that ggml quantised from normal numbers, and twelve of random bits with small finite scales.
"""
import ctypes, json, os, random, struct, sys

ggml = ctypes.CDLL(os.path.join(sys.argv[1], "libggml-base.so"))
ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
# name: id, numbers and bytes of a block, offsets of its scales
TYPES = {
    "Q4_0": (2, 32, 18, [0]), "Q4_1": (3, 32, 20, [0, 2]), "Q5_0": (6, 32, 22, [0]), "Q5_1": (7, 32, 24, [0, 2]), "Q8_0": (8, 32, 34, [0]),
    "Q2_K": (10, 256, 84, [80, 82]), "Q3_K": (11, 256, 110, [108]), "Q4_K": (12, 256, 144, [0, 2]), "Q5_K": (13, 256, 176, [0, 2]),
    "Q6_K": (14, 256, 210, [208]), "IQ4_NL": (20, 32, 18, [0]), "IQ4_XS": (23, 256, 136, [0]),
}
random.seed(7)
header, body = {}, b""
for name, (kind, n, size, scales) in TYPES.items():
    values = (ctypes.c_float * (4 * n))(*[random.gauss(0, 1) for _ in range(4 * n)])
    raw = ctypes.create_string_buffer(4 * size)
    assert ggml.ggml_quantize_chunk(kind, values, raw, 0, 4, n, None) == 4 * size
    blocks = bytearray(raw.raw)
    for _ in range(12):
        block = bytearray(random.randbytes(size))
        for at in scales:
            block[at:at + 2] = struct.pack("<e", random.gauss(0, 0.1) * random.choice([1, 1e-5]))
        blocks += block
    out = (ctypes.c_float * (16 * n))()
    decode = getattr(ggml, "dequantize_row_" + name.lower().replace("_k", "_K"))  # q4_K, but iq4_nl
    decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    decode(bytes(blocks), out, 16 * n)
    for key, dtype, shape, data in (("blocks", "U8", [len(blocks)], bytes(blocks)), ("values", "F32", [16 * n], bytes(out))):
        header[name + "." + key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
head = json.dumps(header).encode()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "blocks.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(head)) + head + body)
