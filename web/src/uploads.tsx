import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Delivery, Problem } from "./api.ts";
import { feeds, nearFeeds } from "./feeds.ts";
import * as format from "./format.ts";
import { nameOf, Report, State } from "./report.tsx";
import { firstRows, upload, type UploadOptions } from "./upload.ts";

interface Item {
  id: number;
  file: File;
  options: UploadOptions;
  sent: number;
  state: "waiting" | "sending" | "done";
  deliveries: Delivery[];
  problem?: Problem;
}

const units = ["Wh", "kWh", "MWh", "kvarh", "kVAh", "kW", "m3", "unknown"];
let lastId = 0;

/** What is sent and was: one file after the other. `onStored` is told of each that ended. */
export function useUploads(onEnd: () => void) {
  const [items, setItems] = useState<Item[]>([]);
  const abort = useRef<AbortController>();
  const set = (id: number, change: Partial<Item>) => setItems((all) =>
    all.map((item) => item.id === id ? { ...item, ...change } : item));
  const isSending = items.some(({ state }) => state === "sending");
  const next = items.find(({ state }) => state === "waiting");

  useEffect(() => {
    if (isSending || !next) return;
    abort.current = new AbortController();
    set(next.id, { state: "sending" });
    void upload(next.file, next.options, ({ sent }) => set(next.id, { sent }),
      abort.current.signal).then((uploaded) => {
      set(next.id, uploaded.kind === "reports"
        ? { state: "done", deliveries: uploaded.deliveries }
        : { state: "done", problem: uploaded.problem });
      onEnd();
    });
  }, [isSending, next?.id]);

  return {
    items,
    add: (files: File[], options: UploadOptions) => setItems((all) => [
      ...files.map((file): Item => ({
        id: ++lastId, file, options, sent: 0, state: "waiting", deliveries: [],
      })),
      ...all,
    ]),
    stop: () => abort.current?.abort(),
    again: (id: number, options: UploadOptions) => setItems((all) => all.map((item) => {
      if (item.id !== id) return item;
      const { problem: _problem, ...rest } = item;
      return { ...rest, options, sent: 0, state: "waiting", deliveries: [] };
    })),
    forget: (id: number) => setItems((all) => all.filter((item) => item.id !== id)),
  };
}

export type Uploads = ReturnType<typeof useUploads>;

/** What a file may not say of itself. */
export function Options(props: {
  options: UploadOptions; onChange: (options: UploadOptions) => void;
}): JSX.Element {
  const { options, onChange } = props;
  return (
    <div class="bar">
      <label>Unit{" "}
        <select value={options.unit} onChange={({ currentTarget: { value } }) =>
          onChange({ ...options, unit: value })}>
          <option value="">as the file or the store says</option>
          {units.map((unit) => <option key={unit}>{unit}</option>)}
        </select>
      </label>
      <label>Time zone{" "}
        <input type="text" value={options.zone} placeholder="e.g. Europe/London" size={18}
          spellcheck={false} autocomplete="off"
          onChange={({ currentTarget: { value } }) =>
            onChange({ ...options, zone: value.trim() })} />
      </label>
      <label>Layout{" "}
        <select value={options.feed} onChange={({ currentTarget: { value } }) =>
          onChange({ ...options, feed: value })}>
          <option value="auto">recognised by its content</option>
          {feeds.map(({ name }) => <option key={name}>{name}</option>)}
        </select>
      </label>
    </div>
  );
}

export function UploadList({ uploads }: { uploads: Uploads }): JSX.Element | null {
  if (uploads.items.length === 0) return null;
  return (
    <ul class="uploads" aria-label="Files sent">
      {uploads.items.map((item) => (
        <li key={item.id} class="panel"><Upload item={item} uploads={uploads} /></li>))}
    </ul>
  );
}

/** Whether nothing in it was known, and not only its unit was missing. */
function isOfUnknownLayout({ state, recognisedBy, rows }: Delivery): boolean {
  return state === "refused" && recognisedBy === undefined && rows.read === 0;
}

function Upload({ item, uploads }: { item: Item; uploads: Uploads }): JSX.Element {
  const { file, state, sent, deliveries, problem } = item;
  const percent = Math.round(sent * 100);
  const isUnknown = deliveries.some(isOfUnknownLayout);
  const canRetry = state === "done" && (problem !== undefined ||
    deliveries.some((one) => one.state === "failed" || one.state === "refused"));
  return (
    <>
      <div class="panel-head">
        <h3>{file.name} <span class="quiet">{format.bytesText(file.size)}</span></h3>
        <div class="bar">
          {state === "sending" && <button type="button" onClick={uploads.stop}>Stop</button>}
          {canRetry && <button type="button"
            onClick={() => uploads.again(item.id, item.options)}>Send again</button>}
          {state !== "sending" && <button type="button"
            onClick={() => uploads.forget(item.id)}>Put away</button>}
        </div>
      </div>
      {state === "waiting" && <p class="quiet">Waiting for its turn.</p>}
      {state === "sending" && (
        <>
          <progress max={100} value={percent} aria-label={`Sending ${file.name}`} />
          <p role="status">{percent < 100 ? `${percent} % sent` : "Sent; it is being read …"}</p>
        </>
      )}
      {problem && <p class="failed" role="alert"><strong>Not stored.</strong> {problem.message}</p>}
      {deliveries.map((delivery) => (
        <div key={delivery.id} role="status">
          <p><State delivery={delivery} /> {deliveries.length > 1 && nameOf(delivery)}</p>
          <Report delivery={delivery} />
        </div>
      ))}
      {isUnknown && <UnknownLayout file={file}
        onFeed={(feed) => uploads.again(item.id, { ...item.options, feed })} />}
    </>
  );
}

/** The first rows of a file that no reader knows, and the feeds that nearly do. */
function UnknownLayout(props: { file: File; onFeed: (feed: string) => void }): JSX.Element | null {
  const [rows, setRows] = useState<string[]>([]);
  useEffect(() => {
    let isCurrent = true;
    firstRows(props.file).then((read) => isCurrent && setRows(read), () => undefined);
    return () => { isCurrent = false; };
  }, [props.file]);
  if (rows.length === 0) return null;
  const near = nearFeeds(rows[0] ?? "");
  return (
    <div class="unknown">
      <h4>Its first rows</h4>
      <pre tabIndex={0}>{rows.join("\n")}</pre>
      <h4>Layouts that nearly fit</h4>
      {near.length === 0 ? <p class="quiet">None of those that are known. A feed can describe it:
        {" "}<code>meterline feed draft</code> begins one.</p> : (
        <ul class="list">
          {near.map(({ feed, known, unknown }) => (
            <li key={feed.name}>
              <span><b>{feed.name}</b>: {feed.title}<br />
                <span class="quiet">knows {known.join(", ")}
                  {unknown.length > 0 && `; does not know ${unknown.join(", ")}`}</span></span>
              <button type="button" onClick={() => props.onFeed(feed.name)}>
                Send as {feed.name}</button>
            </li>))}
        </ul>
      )}
    </div>
  );
}
