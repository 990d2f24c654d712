// A second verifier of evidence bundles, written from docs/evidence.md and docs/manifest.md alone. Node's own library only.
//
//     node second_verifier.mjs < list-of-paths        one ZIP a line → one line each: exit code, and why

import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { crc32, gunzipSync } from "node:zlib";

const FIXED = ["SHA256SUMS", "bundle.json", "capture.warc.gz", "checkpoint.txt", "keys.txt", "report.html", "verify.py"];
const STAMPS = /^timestamps\/(?:roots\.pem|[1-9][0-9]{0,2}\.(?:tsr|ots|txt))$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const BAD_IN_NAMES = /[+\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]/;
const GIB = 2 ** 30;
const MIB = 2 ** 20;

class Refused extends Error {}

function must(condition, why) {
  if (!condition) throw new Refused(why);
}

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const label = (bytes) => `sha256:${sha(bytes).toString("hex")}`;
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function utf8(bytes, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused(`${what}: not UTF-8`);
  }
}

function base64(text) {
  const bytes = Buffer.from(text, "base64");
  must(bytes.toString("base64") === text, "base64");
  return bytes;
}

// --- the ZIP ---

function filesOfZip(data) {
  must(data.length <= GIB, "too large");
  const files = new Map();
  let at = 0;
  while (at + 30 <= data.length && data.readUInt32LE(at) === 0x04034b50) {
    const size = data.readUInt32LE(at + 18);
    const nameLength = data.readUInt16LE(at + 26);
    const name = data.subarray(at + 30, at + 30 + nameLength).toString("latin1");
    must(FIXED.includes(name) || STAMPS.test(name), `no file of a bundle: ${name}`);
    must(!files.has(name), "a name twice");
    const start = at + 30 + nameLength;
    must(start + size <= data.length, "cut");
    files.set(name, data.subarray(start, start + size));
    at = start + size;
  }
  must(writeZip(files).equals(data), "the ZIP's form");
  return files;
}

function writeZip(files) {
  const names = [...files.keys()].sort(byBytes);
  const body = [];
  const directory = [];
  let offset = 0;
  for (const name of names) {
    const content = files.get(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(0x21, 8);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(content.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(0x81a40000, 6);
    rest.writeUInt32LE(offset, 10);
    const raw = Buffer.from(name);
    body.push(Buffer.from("PK\x03\x04", "latin1"), shared, raw, content);
    directory.push(Buffer.from("PK\x01\x02\x14\x03", "latin1"), shared, rest, raw);
    offset += 30 + raw.length + content.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...body, central, end]);
}

function checkSums(files) {
  const names = [...files.keys()].filter((name) => name !== "SHA256SUMS").sort(byBytes);
  const lines = names.map((name) => `${sha(files.get(name)).toString("hex")}  ${name}\n`);
  must(files.get("SHA256SUMS").equals(Buffer.from(lines.join(""))), "SHA256SUMS");
}

// --- bundle.json ---

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const hasKeys = (value, ...keys) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).join() === keys.join();

function readBundle(bytes) {
  const text = utf8(bytes, "bundle.json");
  let bundle;
  try {
    bundle = JSON.parse(text);
  } catch {
    throw new Refused("bundle.json: no JSON");
  }
  must(`${JSON.stringify(bundle, null, 2)}\n` === text, "bundle.json: not canonical");
  must(hasKeys(bundle, "format", "subject", "origin", "size", "members"), "bundle.json: keys");
  must(bundle.format === "archiver-evidence/1" && typeof bundle.subject === "string", "bundle.json: format, subject");
  must(/^archiver\/[0-9a-f]{32}$/.test(bundle.origin) && typeof bundle.origin === "string", "bundle.json: origin");
  must(isCount(bundle.size) && Array.isArray(bundle.members), "bundle.json: size, members");
  let offset = 0;
  let leaf = -1;
  for (const member of bundle.members) {
    must(hasKeys(member, "role", "offset", "length", "digest", "leaf", "proof"), "a member's keys");
    must(typeof member.role === "string" && typeof member.digest === "string" && DIGEST.test(member.digest), "a member");
    must(member.offset === offset && isCount(member.length) && member.length > 0, "a member's place");
    must(isCount(member.leaf) && member.leaf > leaf && member.leaf < bundle.size, "a member's leaf");
    const hashes = Array.isArray(member.proof) && member.proof.every((one) => typeof one === "string" && /^[0-9a-f]{64}$/.test(one));
    must(hashes, "a member's proof");
    offset += member.length;
    leaf = member.leaf;
  }
  return bundle;
}

// --- the tree: RFC 9162 section 2.1.3.2 ---

function rootFrom(digest, index, size, proof) {
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let r = sha(Buffer.from([0]), digest);
  for (const p of proof) {
    must(sn !== 0n, "a proof is too long");
    if (fn % 2n === 1n || fn === sn) {
      r = sha(Buffer.from([1]), p, r);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      r = sha(Buffer.from([1]), r, p);
    }
    fn /= 2n;
    sn /= 2n;
  }
  must(sn === 0n, "a proof is too short");
  return r;
}

// --- records ---

function readRecord(stored, budget) {
  let found;
  try {
    found = gunzipSync(stored, { info: true, maxOutputLength: Math.max(1, Math.min(GIB, budget)) });
  } catch {
    throw new Refused("no gzip member, or too large");
  }
  const { buffer, engine } = found;
  must(engine.bytesWritten === stored.length, "bytes after the gzip member");
  const trailer = stored.subarray(-8);
  must(trailer.readUInt32LE(0) === crc32(buffer) && trailer.readUInt32LE(4) === buffer.length, "more than one gzip member");
  const end = buffer.subarray(0, MIB).indexOf("\r\n\r\n");
  must(end > 0 && /^WARC\/1\.[01]\r\n$/.test(buffer.subarray(0, 10).toString("latin1")), "no WARC record");
  const fields = new Map();
  for (const line of buffer.subarray(10, end).toString("utf8").split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    must(colon >= 0 && !fields.has(name), "a WARC header line");
    fields.set(name, line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ""));
  }
  const length = fields.get("content-length") ?? "";
  must(/^[0-9]{1,15}$/.test(length), "Content-Length");
  const block = buffer.subarray(end + 4, end + 4 + Number(length));
  must(block.length === Number(length), "the record is cut");
  must(buffer.subarray(end + 4 + block.length).equals(Buffer.from("\r\n\r\n")), "the record's end");
  return { fields, block, size: buffer.length };
}

function readImported(stored, budget) {
  const none = { fields: new Map(), block: Buffer.alloc(0), size: stored.length };
  let data = stored;
  if (stored.length > 1 && stored.readUInt16BE(0) === 0x1f8b) {
    try {
      data = gunzipSync(stored, { maxOutputLength: GIB });
    } catch {
      return none;
    }
  }
  must(data.length <= Math.min(GIB, budget), "an imported record that is too large");
  const start = data.subarray(0, MIB).toString("latin1");
  const empty = /\r?\n\r?\n/.exec(start);
  if (!empty || !start.startsWith("WARC/")) return { ...none, size: data.length };
  const fields = new Map();
  for (const line of data.subarray(0, empty.index).toString("utf8").split("\n").slice(1)) {
    const [name, value] = line.split(/:(.*)/s);
    if (!fields.has(name.trim().toLowerCase())) fields.set(name.trim().toLowerCase(), (value ?? "").trim());
  }
  const from = empty.index + empty[0].length;
  const length = fields.get("content-length") ?? "";
  const to = /^[0-9]{1,15}$/.test(length) ? from + Number(length) : data.length;
  return { fields, block: data.subarray(from, to), size: data.length };
}

function importedSubjects(fields, block, payload) {
  const uri = fields.get("warc-target-uri");
  const empty = block.indexOf("\r\n\r\n");
  const body = empty < 0 ? Buffer.alloc(0) : block.subarray(empty + 4);
  const answer = ["response", "resource"].includes(fields.get("warc-type"));
  return [...(uri === undefined ? [] : [uri]), ...(answer ? [payload, label(block), label(body)] : [])];
}

function payloadOf(fields, block) {
  if (!(fields.get("content-type") ?? "").toLowerCase().startsWith("application/http")) return block;
  const start = block.subarray(0, MIB).toString("latin1");
  const empty = /\r?\n\r?\n/.exec(start);
  const head = empty ? start.slice(0, empty.index) : start;
  const body = empty ? block.subarray(empty.index + empty[0].length) : block.subarray(0, 0);
  const lines = head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/).slice(1);
  const codings = lines
    .map((line) => line.split(/:(.*)/s))
    .filter(([name]) => name.trim().toLowerCase() === "transfer-encoding")
    .map(([, value]) => value ?? "");
  const last = codings.join(",").toLowerCase().split(",").at(-1).trim();
  return last === "chunked" ? unchunked(body) : body;
}

function unchunked(body) {
  const pieces = [];
  let at = 0;
  for (;;) {
    const line = /^[ \t\r\v\f]*([0-9A-Fa-f]{1,15})[ \t\r\v\f]*(?:;[^\n]*)?\n/.exec(body.subarray(at, at + 8192).toString("latin1"));
    const size = line ? Number.parseInt(line[1], 16) : 0;
    if (size === 0) return Buffer.concat(pieces);
    const from = at + line[0].length;
    pieces.push(body.subarray(from, from + size));
    at = from + size;
    const end = /^\r?\n/.exec(body.subarray(at, at + 2).toString("latin1"));
    if (!end) return Buffer.concat(pieces);
    at += end[0].length;
  }
}

function checkMembers(capture, bundle, root) {
  const records = new Map();
  const subjects = new Set();
  let budget = GIB + 100 * capture.length;
  let end = 0;
  for (const member of bundle.members) {
    end = member.offset + member.length;
    must(end <= capture.length, "a member is cut");
    const stored = capture.subarray(member.offset, end);
    must(label(stored) === member.digest, "a member's digest");
    const proof = member.proof.map((one) => Buffer.from(one, "hex"));
    must(rootFrom(sha(stored), member.leaf, bundle.size, proof).equals(root), "a member is not in the tree");
    const ours = !member.role.startsWith("imported");
    const { fields, block, size } = ours ? readRecord(stored, budget) : readImported(stored, budget);
    budget -= size;
    for (const name of ["warc-type", "warc-record-id", "warc-date"]) must(!ours || fields.has(name), `no ${name}`);
    const id = (fields.get("warc-record-id") ?? "").replace(/^[<>]+|[<>]+$/g, "");
    must(!ours || !records.has(id), "an id twice");
    const payload = label(payloadOf(fields, block));
    if (!records.has(id)) records.set(id, { fields, payload, ours });
    const named = ours ? checkRecord(fields, block, payload, bundle.origin) : importedSubjects(fields, block, payload);
    for (const subject of named) subjects.add(subject);
    subjects.add(id);
  }
  must(end === capture.length, "bytes after the last member");
  must(subjects.has(bundle.subject), "nothing speaks of the subject");
  for (const { fields, ours } of records.values()) {
    if (!ours || fields.get("warc-type") !== "revisit") continue;
    const original = records.get((fields.get("warc-refers-to") ?? "").replace(/^[<>]+|[<>]+$/g, ""));
    const claim = fields.get("warc-payload-digest") || fields.get("archiver-payload-digest");
    must(original && original.payload === claim, "an original");
  }
}

function checkRecord(fields, block, payload, origin) {
  const type = fields.get("warc-type");
  const uri = fields.get("warc-target-uri");
  const answer = type === "response" || type === "resource";
  const claims = [fields.get("warc-block-digest"), answer ? fields.get("warc-payload-digest") : undefined];
  for (const claim of claims) {
    if (claim?.startsWith("sha256:")) must(claim === payload || claim === label(block), "a digest that a record says");
  }
  const part = type === "warcinfo" ? /(?:^|\n)isPartOf: ([^\r\n]*)/.exec(block.toString("latin1")) : null;
  must(!part || part[1] === origin, "a record of another archive");
  const subjects = uri === undefined ? [] : [uri];
  if (answer) subjects.push(payload);
  if (uri?.startsWith("urn:archiver:note:")) {
    let note;
    try {
      note = JSON.parse(utf8(block, "a note"));
    } catch {
      throw new Refused("a note that is no JSON");
    }
    must(note !== null && typeof note === "object" && !Array.isArray(note), "a note that is no object");
    const url = note.type === "article" ? note.article.url : note.type === "fetch" ? note.url : undefined;
    if (typeof url === "string") subjects.push(url);
  }
  return subjects;
}

// --- keys, signatures, tokens ---

function readKey(line) {
  const parts = /^([^+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{4,200}={0,2})$/u.exec(line);
  must(parts && !BAD_IN_NAMES.test(parts[1]), "a key's form");
  const data = base64(parts[3]);
  const hash = sha(parts[1], "\n", data).subarray(0, 4);
  must(hash.toString("hex") === parts[2], "a key's hash");
  must(![1, 4].includes(data[0]) || data.length === 33, "a key's length");
  return { name: parts[1], hash, type: data[0], key: data.subarray(1) };
}

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

function ed25519(key, message, signature) {
  if (signature.length !== 64 || littleEndian(signature.subarray(32)) >= ORDER) return false;
  if ((littleEndian(key) & ((1n << 255n) - 1n)) >= P) return false;
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  if (key[31] >> 7 && [1n, P - 1n].includes(littleEndian(key) & ((1n << 255n) - 1n))) return false;
  return verifySignature(null, message, createPublicKey({ key: spki, format: "der", type: "spki" }), signature);
}

function checkSignatures(note, lines, keys) {
  must(lines.length <= 100 && keys.length <= 100, "too many lines");
  for (const line of lines) {
    const parts = /^\u2014 ([^+ ]{1,200}) ([A-Za-z0-9+/]{8,10000}={0,2})$/u.exec(line);
    must(parts && !BAD_IN_NAMES.test(parts[1]), "a signature line");
    const data = base64(parts[2]);
    const meant = keys.filter(
      ({ name, hash, type }) => name === parts[1] && hash.equals(data.subarray(0, 4)) && [1, 4].includes(type),
    );
    const holds = meant.some(({ type, key }) => {
      if (type === 1) return ed25519(key, Buffer.from(note), data.subarray(4));
      if (data.length < 12) return false;
      const message = `cosignature/v1\ntime ${data.readBigUInt64BE(4)}\n${note}`;
      return ed25519(key, Buffer.from(message), data.subarray(12));
    });
    must(holds || meant.length === 0, "a signature");
  }
}

function* children(der, start, end) {
  let at = start;
  while (at < end) {
    must(at + 2 <= end, "DER");
    const tag = der[at];
    let length = der[at + 1];
    at += 2;
    if (length > 127) {
      const count = length - 128;
      must(count >= 1 && count <= 4 && at + count <= end, "DER");
      length = der.readUIntBE(at, count);
      must(length > 127 && length >= 256 ** (count - 1), "DER: a length that is not the shortest");
      at += count;
    }
    must(at + length <= end, "DER: an element beyond its parent");
    yield { tag, start: at, end: at + length };
    at += length;
  }
}

function child(der, parent, index, tag) {
  const found = [...children(der, parent.start, parent.end)][index];
  must(found && found.tag === tag, "no RFC 3161 answer");
  return found;
}

// Every element below a constructed one must lie inside it.
function walk(der, { tag, start, end }) {
  if (tag & 0x20) for (const element of children(der, start, end)) walk(der, element);
}

function checkToken(der, covered) {
  const bytes = ({ start, end }) => der.subarray(start, end);
  must(der.length <= MIB && [...children(der, 0, der.length)].length === 1, "too long, or more than one element");
  const response = child(der, { start: 0, end: der.length }, 0, 0x30);
  const status = bytes(child(der, child(der, response, 0, 0x30), 0, 0x02));
  must(status.length === 1 && status[0] <= 1, "the status");
  const signedData = child(der, child(der, child(der, response, 1, 0x30), 1, 0xa0), 0, 0x30);
  const content = child(der, signedData, 2, 0x30);
  must(bytes(child(der, content, 0, 0x06)).toString("hex") === "2a864886f70d0109100104", "no TSTInfo");
  const info = child(der, child(der, child(der, content, 1, 0xa0), 0, 0x04), 0, 0x30);
  const imprint = child(der, info, 2, 0x30);
  const algorithm = bytes(child(der, child(der, imprint, 0, 0x30), 0, 0x06)).toString("hex");
  must(algorithm === "608648016503040201", "not SHA-256");
  must(bytes(child(der, imprint, 1, 0x04)).equals(sha(covered)), "the imprint");
  const written = bytes(child(der, info, 4, 0x18)).toString("latin1");
  const parts = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.[0-9]{1,9})?Z$/.exec(written);
  must(parts && parts[1] !== "0000", "genTime");
  const [year, month, day, hour, minute, second] = parts.slice(1);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  must(!Number.isNaN(Date.parse(iso)) && new Date(iso).toISOString() === iso, "genTime: no such time");
  for (const element of [...children(der, info.start, info.end)].slice(5)) if (element.tag === 0xa0) walk(der, element);
}

function checkTimestamps(files, note, signatures) {
  const numbers = (pattern) => [...files.keys()].map((name) => pattern.exec(name)?.[1]).filter(Boolean);
  const tokens = numbers(/^timestamps\/([0-9]+)\.(?:tsr|ots)$/).map(Number);
  const texts = numbers(/^timestamps\/([0-9]+)\.txt$/).map(Number);
  const wanted = tokens.map((_, index) => index + 1).join();
  for (const found of [tokens, texts]) must(found.sort((a, b) => a - b).join() === wanted, "the numbers of tokens");
  const allowed = new Set([note]);
  signatures.forEach((_, index) => allowed.add(`${note}\n${signatures.slice(0, index + 1).join("\n")}\n`));
  for (const number of tokens) {
    const covered = files.get(`timestamps/${number}.txt`);
    must([...allowed].some((text) => Buffer.from(text).equals(covered)), "what a token covers");
    const token = files.get(`timestamps/${number}.tsr`);
    if (token) checkToken(token, covered);
  }
}

// --- all of it ---

function linesOf(text, what) {
  must(text === "" || text.endsWith("\n"), `${what} is cut`);
  return text.split("\n").slice(0, -1);
}

function checkBundle(files) {
  for (const name of FIXED) must(files.has(name), `${name} is missing`);
  checkSums(files);
  const bundle = readBundle(files.get("bundle.json"));
  const signed = utf8(files.get("checkpoint.txt"), "checkpoint.txt");
  const at = signed.indexOf("\n\n");
  must(at >= 0, "checkpoint.txt: no empty line");
  const note = signed.slice(0, at + 1);
  const [origin, size, root, ...more] = note.split("\n");
  must(origin === bundle.origin && size === String(bundle.size) && more.join() === "", "checkpoint.txt: another tree");
  must(/^[A-Za-z0-9+/]{43}=$/.test(root ?? ""), "checkpoint.txt: root");
  checkMembers(files.get("capture.warc.gz"), bundle, base64(root));
  const signatures = linesOf(signed.slice(at + 2), "checkpoint.txt");
  const keys = linesOf(utf8(files.get("keys.txt"), "keys.txt"), "keys.txt").map(readKey);
  checkSignatures(note, signatures, keys);
  checkTimestamps(files, note, signatures);
}

function judge(path) {
  if (!existsSync(path) || !statSync(path).isFile()) return "2 no file";
  const data = readFileSync(path);
  if (data.length < 4 || data.readUInt32LE(0) !== 0x04034b50) return "2 no ZIP";
  try {
    checkBundle(filesOfZip(data));
    return "0 all holds";
  } catch (error) {
    return `4 ${JSON.stringify(error.message)}`;
  }
}

for (const path of readFileSync(0, "utf8").split("\n").filter(Boolean)) console.log(judge(path));
