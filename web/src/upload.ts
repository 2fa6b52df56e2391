import * as api from "./api.ts";

export interface UploadOptions {
  unit: string;
  zone: string;
  feed: string;
}

export interface Progress {
  /** Parts of the file that the server has, from 0 to 1. */
  sent: number;
}

/** What the server answers to a file, whether it took it or not. */
export type Uploaded =
  | { kind: "reports"; deliveries: api.Delivery[] }
  | { kind: "problem"; problem: api.Problem };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function uploadedOf(status: number, text: string): Uploaded {
  const answer = parsed(text);
  if (isObject(answer) && "rows" in answer)
    return { kind: "reports", deliveries: [answer as unknown as api.Delivery] };
  if (isObject(answer) && Array.isArray(answer["deliveries"]))
    return { kind: "reports", deliveries: answer["deliveries"] as api.Delivery[] };
  return { kind: "problem", problem: api.problemOf(status, text) };
}

/** Sends a file. A request of its own, as fetch() tells no progress of what it sends. */
export function upload(
  file: File, options: UploadOptions, onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  const path = api.query("v1/deliveries", { source: file.name, ...options });
  const tried = api.keyInUse();
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const fail = (text: string) =>
      resolve({ kind: "problem", problem: new api.Problem(text, request.status) });
    request.open("POST", api.urlOf(path));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    for (const [name, value] of Object.entries(api.authorization()))
      request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) =>
      onProgress({ sent: total === 0 ? 0 : loaded / total });
    request.onload = () => {
      if (request.status !== 401) return resolve(uploadedOf(request.status, request.responseText));
      api.renewKey(tried)
        .then(() => upload(file, options, onProgress, signal))
        .then(resolve, (error: unknown) => fail(String(error)));
    };
    request.onerror = () => fail("The server did not answer to the end. It may have been " +
      "stopped, or the network is down. Sending the file again is safe.");
    request.onabort = () => fail("Stopped. Nothing of the file was stored, unless it was read " +
      "to its end already: the list of deliveries tells.");
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

const peekedBytes = 4096;
const rowsShown = 6;

/** The first rows of a file as text; of one that is packed with gzip, what it holds. */
export async function firstRows(file: File): Promise<string[]> {
  const start = file.slice(0, 65_536);
  const magic = new Uint8Array(await start.slice(0, 2).arrayBuffer());
  let bytes = new Uint8Array(await start.slice(0, peekedBytes).arrayBuffer());
  if (magic[0] === 0x1f && magic[1] === 0x8b) {
    const reader = start.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    const piece = await reader.read();
    bytes = (piece.value ?? new Uint8Array()).slice(0, peekedBytes);
    reader.cancel().catch(() => undefined);
  }
  if (bytes.includes(0)) return [];
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/);
  return lines.slice(0, rowsShown).map((line) => line.slice(0, 400));
}
