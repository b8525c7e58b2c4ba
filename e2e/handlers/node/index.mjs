// A Lambda function that reads its secrets from its environment only, as a
// function does that knows of no secret store. It understands names, files and
// digests of the Go function's events.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export async function handler(event) {
  const seen = {};
  for (const name of event.names ?? []) seen[name] = text(lookup(name));
  for (const name of event.files ?? []) seen[name] = text(readFileSync(process.env[name]));
  for (const name of event.digests ?? []) seen[name] = digest(lookup(name));
  return seen;
}

// lookup returns the bytes of the variable, or of the file that NAME_FILE names,
// null if neither is there.
function lookup(name) {
  const path = process.env[`${name}_FILE`];
  if (path !== undefined) return readFileSync(path);
  const value = process.env[name];
  return value === undefined ? null : Buffer.from(value);
}

const text = (value) => value?.toString() ?? null;
const digest = (value) => value && createHash("sha256").update(value).digest("hex");
