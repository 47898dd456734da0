// Completes package-lock.json after `npm install`: npm leaves out optional platform packages that the registry in use does not
// have, and `npm ci` then refuses the file. Each missing one is written down with the exact version that its parent asks for and
// the platform in its name, so that other platforms skip it. Run `node scripts/complete-lock.mjs` after changing dependencies.
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = [
  "darwin",
  "linux",
  "win32",
  "android",
  "freebsd",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "aix",
];
const PROCESSORS = [
  "arm64",
  "x64",
  "ia32",
  "arm",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
];

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const added = [];
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (key in lock.packages || Object.keys(lock.packages).some((path) => path.endsWith(`/${key}`))) continue;
    const platform = platformOf(name);
    if (!/^\d+\.\d+\.\d+/.test(version) || platform === undefined) {
      console.error(`${name}@${version}: no exact version, or no platform in its name; add it by hand`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[key] = { version, ...platform, ...(parent.dev ? { dev: true } : {}), optional: true };
    added.push(name);
  }
}
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${added.length} platform packages added`);

function platformOf(name) {
  const words = name.replaceAll("armv7", "arm").replaceAll("wasm32-wasi", "wasm32").split(/[/-]/);
  const system = words.find((word) => SYSTEMS.includes(word));
  const processor = words
    .map((word) => (word === "armhf" ? "arm" : word))
    .find((word) => PROCESSORS.includes(word));
  if (processor === undefined || (system === undefined && processor !== "wasm32")) return undefined;
  const libc = /musl/.test(name) ? "musl" : /gnu|glibc/.test(name) ? "glibc" : undefined;
  return {
    cpu: [processor],
    ...(libc === undefined ? {} : { libc: [libc] }),
    ...(system === undefined ? {} : { os: [system] }),
  };
}
