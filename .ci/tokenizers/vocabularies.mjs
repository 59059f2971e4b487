// Writes the vocabularies that the goldens in testdata/golden/tokenizers/real-*.golden.json were made with, one folder each.
//
//   npm ci --prefix .ci/tokenizers
//   node .ci/tokenizers/vocabularies.mjs DIR
//   SCBENCH_VOCABULARIES=DIR go test ./stages/tokenizers
//
// Llama 3.1, Llama 2 and Mistral become a tokenizer.json, as their authors publish it; OpenAI's a vocabulary.tiktoken, with the split
// pattern and the special tokens in vocabulary.json. None of them is part of this repository.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const dir = process.argv[2];
if (!dir) {
  console.error("usage: node vocabularies.mjs DIR");
  process.exit(2);
}
const require = createRequire(import.meta.url);
const write = (style, files) => {
  mkdirSync(join(dir, style), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, style, name), text);
  console.log(join(dir, style));
};

const added = (content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
const begin = (content, id) => {
  const token = (type_id) => ({ SpecialToken: { id: content, type_id } });
  const text = (name, type_id) => ({ Sequence: { id: name, type_id } });
  return {
    type: "TemplateProcessing",
    single: [token(0), text("A", 0)],
    pair: [token(0), text("A", 0), token(1), text("B", 1)],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
};
const vocabulary = (tokens) => Object.fromEntries(tokens.map((token, id) => [token, id]));

function llama3({ vocabById, merges }) {
  const ordinary = vocabById.slice(0, 128000);
  const specials = vocabById.slice(128000).map((content, i) => added(content, 128000 + i));
  const split = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    version: "1.0",
    added_tokens: specials,
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: split }, behavior: "Isolated", invert: false }, byteLevel] },
    post_processor: { type: "Sequence", processors: [byteLevel, begin("<|begin_of_text|>", 128000)] },
    decoder: byteLevel,
    model: { type: "BPE", ignore_merges: true, vocab: vocabulary(ordinary), merges: [...merges.keys()] },
  };
}

function sentencePiece({ vocabById, merges }) {
  const mark = { type: "Replace", pattern: { String: " " }, content: "▁" };
  return {
    version: "1.0",
    added_tokens: ["<unk>", "<s>", "</s>"].map(added),
    normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, mark] },
    pre_tokenizer: null,
    post_processor: begin("<s>", 1),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: { type: "BPE", unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab: vocabulary(vocabById), merges: [...merges.keys()] },
  };
}

// bpe_ranks has lines of "! FIRST TOKEN TOKEN …", whose tokens have the ranks FIRST, FIRST+1, ….
function tiktoken(name) {
  const { pat_str, special_tokens, bpe_ranks } = JSON.parse(readFileSync(join(dirname(require.resolve("tiktoken")), "encoders", `${name}.json`), "utf8"));
  const lines = bpe_ranks.split("\n").filter(Boolean).flatMap((line) => {
    const [, first, ...tokens] = line.split(" ");
    return tokens.map((token, i) => `${token} ${Number(first) + i}`);
  });
  write(`real-${name}`, { "vocabulary.tiktoken": lines.join("\n") + "\n", "vocabulary.json": JSON.stringify({ pattern: pat_str, special: special_tokens }) });
}

const asDefault = async (name) => (await import(name)).default;
write("real-llama3", { "tokenizer.json": JSON.stringify(llama3(await asDefault("llama3-tokenizer-js"))) });
write("real-llama2", { "tokenizer.json": JSON.stringify(sentencePiece(await asDefault("llama-tokenizer-js"))) });
write("real-mistral-v1", { "tokenizer.json": JSON.stringify(sentencePiece(await asDefault("mistral-tokenizer-js"))) });
["cl100k_base", "o200k_base", "p50k_base", "gpt2"].forEach(tiktoken);
