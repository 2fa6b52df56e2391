import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import * as api from "./api.ts";
import { Shown, useAnswer } from "./ask.tsx";
import * as format from "./format.ts";
import { nameOf, Report, State } from "./report.tsx";
import { change, go, hrefOf, type Route } from "./route.ts";
import type { UploadOptions } from "./upload.ts";
import { Options, UploadList, type Uploads } from "./uploads.tsx";

const pageLimit = 50;

/** Files: sent, and what became of all that came. */
export function DeliveriesView(props: {
  route: Route;
  uploads: Uploads;
  options: UploadOptions;
  onOptions: (options: UploadOptions) => void;
  /** Changes when there may be a new delivery. */
  ended: number;
}): JSX.Element {
  const { route, uploads, options } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <header class="view-head"><h1>Deliveries</h1></header>
      <section class="panel drop" aria-labelledby="send-title">
        <h2 id="send-title">Send files</h2>
        <p>Drop them anywhere on this page, or choose them here. CSV, NEM12, NEM13 and Green Button
          are recognised, plain or packed with gzip, zstd or zip.</p>
        <Options options={options} onChange={props.onOptions} />
        <input ref={input} id="files" class="hidden" type="file" multiple tabIndex={-1}
          aria-label="Files" onChange={({ currentTarget }) => {
            uploads.add([...currentTarget.files ?? []], options);
            currentTarget.value = "";
          }} />
        <button type="button" class="primary" onClick={() => input.current?.click()}>
          Choose files …</button>
      </section>
      <UploadList uploads={uploads} />
      {route.id ? <One id={route.id} ended={props.ended} />
        : <List key={props.ended} parameters={route.parameters} />}
    </>
  );
}

function List({ parameters }: { parameters: Route["parameters"] }): JSX.Element {
  const [cursors, setCursors] = useState<string[]>([]);
  const { source, withdrawn } = parameters;
  useEffect(() => setCursors([]), [source, withdrawn]);
  const answer = useAnswer<api.Deliveries>(api.query("v1/deliveries", {
    limit: String(pageLimit), cursor: cursors.at(-1), source, withdrawn }));
  return (
    <section class="panel" aria-labelledby="list-title">
      <div class="panel-head">
        <h2 id="list-title">{source ? `All from ${source}` : "All that came, the latest first"}</h2>
        <div class="bar">
          {source && <a href={hrefOf("deliveries")}>Show all</a>}
          <label><input type="checkbox" checked={withdrawn === "true"}
            onChange={({ currentTarget: { checked } }) =>
              change({ withdrawn: checked ? "true" : undefined })} /> withdrawn only</label>
        </div>
      </div>
      <Shown answer={answer} what="list of deliveries">
        {({ deliveries, next }) => deliveries.length === 0 && cursors.length === 0
          ? <p class="empty">{withdrawn ? "Nothing is withdrawn." : "Nothing has come yet."}</p>
          : (
            <>
              <div class="scrolled" tabIndex={0} role="region" aria-label="List of deliveries">
                <table class="deliveries">
                  <thead><tr><th scope="col">File</th><th scope="col">State</th>
                    <th scope="col">Received</th><th scope="col">Format</th>
                    <th scope="col" class="number">Rows stored</th>
                    <th scope="col" class="number">Rejected</th></tr></thead>
                  <tbody>
                    {deliveries.map((delivery) => (
                      <tr key={delivery.id}>
                        <td><a href={hrefOf("deliveries", delivery.id)}>{nameOf(delivery)}</a></td>
                        <td><State delivery={delivery} /></td>
                        <td>{format.instantText(delivery.receivedAt)}</td>
                        <td>{delivery.format ?? format.unknown}</td>
                        <td class="number">{format.count(delivery.rows.stored)}</td>
                        <td class={delivery.rows.rejected > 0 ? "number wrong" : "number"}>
                          {format.count(delivery.rows.rejected)}</td>
                      </tr>))}
                  </tbody>
                </table>
              </div>
              <div class="bar">
                {cursors.length > 0 && <button type="button"
                  onClick={() => setCursors(cursors.slice(0, -1))}>Page before</button>}
                {next && <button type="button"
                  onClick={() => setCursors([...cursors, next])}>Next page</button>}
              </div>
            </>
          )}
      </Shown>
    </section>
  );
}

function One({ id, ended }: { id: string; ended: number }): JSX.Element {
  const path = `v1/deliveries/${encodeURIComponent(id)}`;
  const answer = useAnswer<api.Delivery>(path);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (ended > 0) answer.again();
  }, [ended]);
  return (
    <section class="panel" aria-labelledby="one-title">
      <p><a href={hrefOf("deliveries")}>← All deliveries</a></p>
      <Shown answer={answer} what="delivery">
        {(delivery) => {
          const isWithdrawn = delivery.state === "withdrawn";
          return (
            <>
              <div class="panel-head">
                <h2 id="one-title">{nameOf(delivery)} <State delivery={delivery} /></h2>
                <div class="bar">
                  <button type="button" onClick={() =>
                    go(hrefOf("deliveries", "", { source: delivery.source }))}>
                    Others of this name</button>
                  {(isWithdrawn || delivery.state === "stored") && (
                    <button type="button" class={isWithdrawn ? undefined : "danger"}
                      onClick={() => setOpen(true)}>
                      {isWithdrawn ? "Let it count again …" : "Withdraw …"}</button>)}
                </div>
              </div>
              {delivery.events?.map(({ kind, at, who, reason }) => (
                <p key={at}>{kind === "withdrawn" ? "Withdrawn" : "Brought back"}{" "}
                  {format.instantText(at)} by {who}{reason && `: ${reason}`}</p>))}
              <Report delivery={delivery} />
              {isOpen && <Withdrawal delivery={delivery} path={path} onEnd={(changed) => {
                setOpen(false);
                if (changed) answer.again();
              }} />}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

/** Asks once more, and for the reason. */
function Withdrawal(props: {
  delivery: api.Delivery; path: string; onEnd: (changed: boolean) => void;
}): JSX.Element {
  const { delivery, path } = props;
  const isBack = delivery.state === "withdrawn";
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [who, setWho] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  function send(event: Event): void {
    event.preventDefault();
    setBusy(true);
    const said = { reason: reason.trim(), ...(who.trim() ? { who: who.trim() } : {}) };
    const sent = isBack
      ? api.request(api.query(`${path}/withdraw`, said), { method: "DELETE" })
      : api.request(`${path}/withdraw`, { method: "POST", body: JSON.stringify(said) });
    sent.then(() => props.onEnd(true), (error: unknown) => {
      setBusy(false);
      setProblem(error instanceof Error ? error.message : String(error));
    });
  }

  return (
    <dialog ref={dialog} aria-labelledby="withdrawal-title" onClose={() => props.onEnd(false)}>
      <form onSubmit={send}>
        <h2 id="withdrawal-title">{isBack ? "Let it count again?" : "Withdraw it?"}</h2>
        <p>{isBack
          ? `What ${nameOf(delivery)} said counts in all answers again.`
          : `What ${nameOf(delivery)} said counts in no answer any more: ` +
            `${format.count(delivery.readings.stored)} readings. ` +
            "It is kept, and can be brought back."}</p>
        <label>Reason{isBack ? "" : " (needed)"}
          <input type="text" required={!isBack} maxLength={300} value={reason} autofocus
            onInput={({ currentTarget: { value } }) => setReason(value)} /></label>
        <label>Your name
          <input type="text" maxLength={60} value={who} autocomplete="name"
            onInput={({ currentTarget: { value } }) => setWho(value)} /></label>
        {problem && <p class="failed" role="alert">{problem}</p>}
        <div class="bar">
          <button type="submit" class={isBack ? "primary" : "danger"} disabled={isBusy}>
            {isBack ? "Let it count" : "Withdraw"}</button>
          <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
        </div>
      </form>
    </dialog>
  );
}
