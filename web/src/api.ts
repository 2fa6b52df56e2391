/** The HTTP API of the server that the page came from; docs/use/http-api.md describes it. */

export type Flow = "consumption" | "generation" | "reactive" | "other";

export interface Channel {
  channel: string;
  flow: Flow;
  unit: string | null;
}

export interface KnownChannel extends Channel {
  interval: number;
  first: string | null;
  last: string | null;
  zone: string | null;
}

export interface Meter {
  meter: string;
  channels: KnownChannel[];
  registerReads?: boolean;
}

export interface Meters {
  meters: Meter[];
  next: string | null;
}

export interface Quality {
  actual: number;
  substituted: number;
  estimated: number;
  missing: number;
}

export interface Total {
  sum: number | null;
  readings: number;
  expected: number;
  quality: Quality;
}

export interface Point extends Total {
  start: string;
  note?: Note;
}

export interface Note {
  flag: string | null;
  method: string | null;
  reasonCode: string | null;
  reasonText: string | null;
}

export interface Series extends Channel, Total {
  series: Point[];
}

export interface Consumption {
  meter: string;
  channels: Series[];
}

export interface PortfolioPoint extends Point {
  average: number | null;
  meters: number;
  metersIncomplete: number;
}

export interface PortfolioSeries extends Channel, Total {
  average: number | null;
  meters: number;
  metersIncomplete: number;
  series: PortfolioPoint[];
}

export interface Portfolio {
  channels: PortfolioSeries[];
}

export interface ProfilePoint {
  start: string;
  weekday: { average: number | null; count: number };
  weekend: { average: number | null; count: number };
}

export interface Profile {
  channels: (Channel & {
    average: number | null;
    count: number;
    peak: { start: string; sum: number } | null;
    lowest: { start: string; sum: number } | null;
    loadFactor: number | null;
    profile: ProfilePoint[];
  })[];
}

export interface Top {
  channels: (Channel & {
    meters: number;
    top: { meter: string; sum: number | null; readings: number; days: number }[];
  })[];
}

export interface MeterGaps {
  channels: (Channel & {
    days: number;
    stored: number;
    complete: number;
    gaps: {
      kind: "missing" | "incomplete";
      from: string;
      to: string;
      days: number;
      readings: number;
      expected: number | null;
    }[];
  })[];
}

export interface Gaps {
  total: {
    meters: number; metersWithGaps: number; days: number; stored: number; complete: number;
  };
  meters: {
    meter: string;
    channels: (Channel & { days: number; stored: number; complete: number; firstGap: string })[];
  }[];
  next: string | null;
}

export interface DeliveryEvent {
  kind: "withdrawn" | "restored";
  at: string;
  who: string;
  reason: string;
}

export interface Change {
  start: string;
  before: number | null;
  after: number | null;
  qualityBefore: string;
  qualityAfter: string;
}

export interface DayVersion extends Total {
  version: { stated: string; received: string };
  origin: string;
  delivery: {
    id: string; source: string | null; state: string | null; events?: DeliveryEvent[];
  };
  counts: boolean;
  intervalMinutes: number;
  changes: Change[];
}

export interface History {
  channels: (Channel & { versions: DayVersion[] })[];
}

export interface Finding {
  line: number;
  column: number;
  code: string;
  severity: string;
  text: string;
  excerpt: string;
}

export interface Delivery {
  id: string;
  source: string;
  state: "stored" | "skipped" | "refused" | "failed" | "withdrawn";
  reason: string | null;
  format: string | null;
  recognisedBy?: string;
  deliveredAt: string;
  receivedAt: string;
  bytes: number;
  unit: string | null;
  zone?: string;
  feed?: { name: string };
  events?: DeliveryEvent[];
  rows: { read: number; stored: number; repeated: number; rejected: number };
  readings: { read: number; stored: number; missing: number; rejected: number };
  findingCounts: Record<string, number>;
  findings?: Finding[];
}

export interface Deliveries {
  deliveries: Delivery[];
  next: string | null;
}

/** Why there is no answer, for people. */
export class Problem extends Error {
  constructor(
    message: string,
    /** Of HTTP; 0: the server was not reached. */
    readonly status: number,
  ) {
    super(message);
  }
}

const unreachable =
  "The server does not answer. It may have been stopped, or the network is down.";

/** In memory only: it is gone with the page. */
let key = "";

type KeyAsker = (wrong: boolean) => Promise<string>;
let askForKey: KeyAsker = () => Promise.reject(new Problem("A key is needed.", 401));

/** Who asks the user for a key when the server wants one. */
export function onKeyWanted(ask: KeyAsker): void {
  askForKey = ask;
}

/** Below the same path as the page itself, whatever proxies put before it. */
export function urlOf(path: string): string {
  return new URL("../" + path, document.baseURI).href;
}

export function authorization(): Record<string, string> {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Asks for another key than `tried`, unless somebody has given one since. */
export async function renewKey(tried: string): Promise<void> {
  if (key === tried) key = await askForKey(tried !== "");
}

export function keyInUse(): string {
  return key;
}

export function problemOf(status: number, text: string): Problem {
  try {
    const told: unknown = JSON.parse(text);
    if (told && typeof told === "object") {
      const detail: unknown = "detail" in told ? told.detail : undefined;
      if (typeof detail === "string") return new Problem(detail, status);
    }
  } catch {
    // Not of this server: a proxy's own page, of which the status says enough.
  }
  return new Problem(`The server answered with status ${status}.`, status);
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const tried = key;
  let response: Response;
  try {
    response = await fetch(urlOf(path), {
      ...init,
      headers: { Accept: "application/json", ...authorization(), ...init.headers },
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(unreachable, 0);
  }
  if (response.status === 401) {
    await renewKey(tried);
    return request(path, init);
  }
  if (!response.ok) throw problemOf(response.status, await response.text());
  return response;
}

async function send(path: string, signal: AbortSignal): Promise<unknown> {
  const response = await request(path, { signal });
  try {
    return await response.json() as unknown;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("The answer broke off.", 0);
  }
}

/** A question on its way, for all who asked it. */
interface Asked {
  answer: Promise<unknown>;
  abort: AbortController;
  users: number;
}

const onTheirWay = new Map<string, Asked>();

function asked(path: string): Asked {
  const known = onTheirWay.get(path);
  if (known) return known;
  const abort = new AbortController();
  const answer = send(path, abort.signal);
  const one = { answer, abort, users: 0 };
  onTheirWay.set(path, one);
  const forget = () => { if (onTheirWay.get(path) === one) onTheirWay.delete(path); };
  abort.signal.addEventListener("abort", forget);
  answer.then(forget, forget);
  return one;
}

/**
 * The answer to a GET. Who asks what is on its way already gets that answer, and it is given up
 * when the last of them has lost interest.
 */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const one = asked(path);
  ++one.users;
  const leave = () => { if (--one.users === 0) one.abort.abort(); };
  signal?.addEventListener("abort", leave);
  try {
    const answer = await one.answer;
    signal?.throwIfAborted();
    return answer as T;
  } finally {
    signal?.removeEventListener("abort", leave);
  }
}

/** A query with what is defined. */
export function query(path: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export function ofMeter(meter: string, question = ""): string {
  return `v1/meters/${encodeURIComponent(meter)}${question && "/" + question}`;
}

/** Saves an answer as a CSV file. */
export async function download(path: string, name: string): Promise<void> {
  const response = await request(path, { headers: { Accept: "text/csv" } });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
