// Runs the real program: METERLINE_BINARY, or else the release build.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import http from "node:http";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

function binary() {
  const path = resolve(process.env.METERLINE_BINARY ?? `${root}/build/release/meterline`);
  if (!existsSync(path)) throw new Error(`${path} is not there: run scripts/build.sh`);
  return path;
}

/** Runs it to its end; standard output. */
export async function run(args, cwd) {
  const child = spawn(binary(), args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (piece) => { out += piece; });
  child.stderr.on("data", (piece) => { err += piece; });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`meterline ${args.join(" ")}: exit ${code}\n${out}\n${err}`);
  return out;
}

/** `meterline serve` on a store. */
export class Server {
  static async start(store, cwd, port = 0) {
    const server = new Server();
    server.child = spawn(binary(),
      ["serve", "--listen", `127.0.0.1:${port}`, "--store", `rocksdb:${store}`, "--unit", "kWh"],
      { cwd, stdio: ["ignore", "pipe", "inherit"] });
    server.ended = once(server.child, "exit");
    let out = "";
    for await (const piece of server.child.stdout) {
      out += piece;
      const found = /listening on (http:\S+)\n/.exec(out);
      if (!found) continue;
      server.url = found[1];
      server.port = Number(new URL(server.url).port);
      return server;
    }
    throw new Error(`meterline serve ended early: ${out}`);
  }

  async stop(signal = "SIGTERM") {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.ended;
  }
}

/** A proxy as operators put one before it: below a path, and only for those who have a key. */
export async function startProxy(port, path, key) {
  const proxy = http.createServer((request, response) => {
    const isPage = request.url.startsWith(`${path}/ui/`);
    if (!request.url.startsWith(`${path}/`)) return response.writeHead(404).end();
    if (!isPage && request.headers.authorization !== `Bearer ${key}`) {
      request.resume();
      return response.writeHead(401, { "Content-Type": "application/problem+json" })
        .end('{"title":"Unauthorized","status":401,"detail":"a key is needed"}');
    }
    const { host: _host, origin: _origin, ...headers } = request.headers;
    const asked = http.request({ host: "127.0.0.1", port, path: request.url.slice(path.length),
      method: request.method, headers: { ...headers, host: `127.0.0.1:${port}` } },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
    asked.on("error", () => response.destroy());
    request.pipe(asked);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { url: `http://127.0.0.1:${proxy.address().port}${path}`, close: () => proxy.close() };
}
