// Writes stages/tokenizers/testdata/kinds.json: what Hugging Face's Rust library makes of the short golden texts with one normalizer,
// pre-tokenizer or decoder of each kind. It is run by hand when a kind is added:
//
//   npm install --prefix .ci/tokenizers --no-save tokenizers@0.23.2
//   node .ci/tokenizers/kinds.mjs > stages/tokenizers/testdata/kinds.json
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer } from "tokenizers";

const golden = join(dirname(fileURLToPath(import.meta.url)), "../../testdata/golden/tokenizers");
const read = (name) => JSON.parse(readFileSync(join(golden, name), "utf8"));
const style = "phi3-addedflags-style"; // it has added tokens with every flag, byte_fallback and no pre-tokenizer
const base = read(`${style}/tokenizer.json`);
const texts = read("torture.json").filter(({ text }) => [...text].length <= 40);

const string = (text) => ({ String: text });
const sequence = (list, ...items) => ({ type: "Sequence", [list]: items });
const metaspace = (prepend_scheme, split) => ({ type: "Metaspace", replacement: "▁", prepend_scheme, split });
const marks = { type: "Replace", pattern: string(" "), content: "▁" };
const bare = { normalizer: null };
const kinds = {
  NFD: { normalizer: sequence("normalizers", { type: "NFD" }, marks) },
  NFKC: { normalizer: sequence("normalizers", { type: "NFKC" }, marks) },
  NFKD: { normalizer: sequence("normalizers", { type: "NFKD" }, marks) },
  Lowercase: { normalizer: sequence("normalizers", { type: "Lowercase" }, marks) },
  Strip: { normalizer: sequence("normalizers", { type: "Strip", strip_left: true, strip_right: true }, marks) },
  "Strip left": { normalizer: { type: "Strip", strip_left: true, strip_right: false } },
  StripAccents: { normalizer: sequence("normalizers", { type: "NFD" }, { type: "StripAccents" }, marks) },
  Nmt: { normalizer: sequence("normalizers", { type: "Nmt" }, marks) },
  "Replace Regex": { normalizer: sequence("normalizers", { type: "Replace", pattern: { Regex: " {2,}|\\p{N}+" }, content: "▁x" }, marks) },
  Prepend: { normalizer: { type: "Prepend", prepend: "ab" } },
  BertNormalizer: { normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: true, lowercase: false } },
  Whitespace: { ...bare, pre_tokenizer: { type: "Whitespace" } },
  WhitespaceSplit: { ...bare, pre_tokenizer: { type: "WhitespaceSplit" } },
  BertPreTokenizer: { ...bare, pre_tokenizer: { type: "BertPreTokenizer" } },
  CharDelimiterSplit: { ...bare, pre_tokenizer: { type: "CharDelimiterSplit", delimiter: "o" } },
  Digits: { ...bare, pre_tokenizer: { type: "Digits", individual_digits: false } },
  "Digits one by one": { ...bare, pre_tokenizer: { type: "Digits", individual_digits: true } },
  "Metaspace always": { ...bare, pre_tokenizer: metaspace("always", true), decoder: metaspace("always", true) },
  "Metaspace first": { ...bare, pre_tokenizer: metaspace("first", true), decoder: metaspace("first", true) },
  "Metaspace never, whole": { ...bare, pre_tokenizer: metaspace("never", false), decoder: metaspace("never", true) },
  "Metaspace always, whole": { ...bare, pre_tokenizer: metaspace("always", false) },
  "Sequence of four": {
    ...bare,
    pre_tokenizer: sequence("pretokenizers", metaspace("first", false), { type: "Punctuation", behavior: "Isolated" }, { type: "Digits", individual_digits: true }, { type: "Split", pattern: string("▁"), behavior: "MergedWithNext", invert: false }),
  },
  "Split inverted": { ...bare, pre_tokenizer: { type: "Split", pattern: { Regex: "\\p{L}+" }, behavior: "Removed", invert: true } },
  "decoder WordPiece": { decoder: { type: "WordPiece", prefix: "##", cleanup: true } },
  "decoder Strip": { decoder: sequence("decoders", { type: "Strip", content: "▁", start: 2, stop: 0 }, { type: "Replace", pattern: string("e"), content: "E!" }, { type: "ByteFallback" }) },
  "decoder Strip of all": { decoder: sequence("decoders", { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: "▁", start: 2, stop: 0 }) },
};
for (const behavior of ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"]) {
  kinds[`Punctuation ${behavior}`] = { ...bare, pre_tokenizer: { type: "Punctuation", behavior } };
}

const out = { library: "huggingface/tokenizers, npm tokenizers@0.23.2", style, kinds: [] };
for (const [name, change] of Object.entries(kinds)) {
  const tokenizer = Tokenizer.fromString(JSON.stringify({ ...base, ...change }));
  const cases = [];
  for (const { name, text } of texts) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    cases.push({ name, ids, ...(change.decoder && { decoded: await tokenizer.decode(ids, false) }) });
  }
  out.kinds.push({ name, change, cases });
}
const lines = out.kinds.map(({ cases, ...kind }) => `${JSON.stringify(kind).slice(0, -1)},"cases":[\n${cases.map((c) => JSON.stringify(c)).join(",\n")}]}`);
console.log(`${JSON.stringify({ ...out, kinds: undefined }).slice(0, -1)},"kinds":[\n${lines.join(",\n")}]}`);
