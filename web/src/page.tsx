import "./early.ts";

import { type JSX, render } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import * as api from "./api.ts";
import { Shown, useAnswer } from "./ask.tsx";
import { AllView } from "./all.tsx";
import { DeliveriesView } from "./deliveries.tsx";
import * as format from "./format.ts";
import { MeterView } from "./meter.tsx";
import { go, hrefOf, type Route, useRoute, type View } from "./route.ts";
import { Search } from "./search.tsx";
import type { UploadOptions } from "./upload.ts";
import { useUploads } from "./uploads.tsx";

const views: [View, string][] = [
  ["meter", "Meters"], ["all", "All meters"], ["deliveries", "Deliveries"]];

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Whether files are held over the page; `onDrop` gets them. */
function useDrop(onDrop: (files: File[]) => void): boolean {
  const [isOver, setOver] = useState(false);
  const latest = useRef(onDrop);
  latest.current = onDrop;
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      latest.current([...event.dataTransfer?.files ?? []]);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return isOver;
}

function titleOf({ view, id }: Route): string {
  const name = views.find(([one]) => one === view)?.[1] ?? "";
  return `${view === "meter" && id ? id : name} · meterline`;
}

function Page(): JSX.Element {
  const route = useRoute();
  const [ended, setEnded] = useState(0);
  const [options, setOptions] = useState<UploadOptions>({ unit: "", zone: "", feed: "auto" });
  const uploads = useUploads(() => setEnded((count) => count + 1));
  const isOver = useDrop((files) => {
    uploads.add(files, options);
    go(hrefOf("deliveries"));
  });
  useEffect(() => { document.title = titleOf(route); }, [route]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>To the content</a>
      <header class="top">
        <a class="brand" href={hrefOf("meter")}>meterline</a>
        <nav aria-label="Views">
          {views.map(([view, name]) => (
            <a key={view} href={hrefOf(view)}
              aria-current={route.view === view ? "page" : undefined}>{name}</a>))}
        </nav>
        <Search />
      </header>
      <main id="main" tabIndex={-1}>
        {route.view === "all" ? <AllView route={route} />
          : route.view === "deliveries" ? (
            <DeliveriesView route={route} uploads={uploads} options={options}
              onOptions={setOptions} ended={ended} />)
          : route.id ? <MeterView key={route.id} route={route} />
          : <MetersView />}
      </main>
      {isOver && <div class="over" aria-hidden="true"><p>Drop the files to send them</p></div>}
      <KeyDialog />
    </>
  );
}

/** Where one begins: the first meters. */
function MetersView(): JSX.Element {
  const [cursors, setCursors] = useState<string[]>([]);
  const answer = useAnswer<api.Meters>(
    api.query("v1/meters", { limit: "50", cursor: cursors.at(-1) }));
  return (
    <section class="panel" aria-labelledby="meters-title">
      <h1 id="meters-title">Meters</h1>
      <Shown answer={answer} what="meters">
        {({ meters, next }) => meters.length === 0
          ? <p class="empty">No meter is known yet. Drop a file anywhere on this page, or see{" "}
              <a href={hrefOf("deliveries")}>Deliveries</a>.</p>
          : (
            <>
              <div class="scrolled" tabIndex={0} role="region" aria-label="List of meters">
                <table>
                  <thead><tr><th scope="col">Meter</th><th scope="col">Channels</th>
                    <th scope="col">Days</th></tr></thead>
                  <tbody>{meters.map((meter) => <MeterRow key={meter.meter} meter={meter} />)}
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

function MeterRow({ meter }: { meter: api.Meter }): JSX.Element {
  const first = meter.channels.flatMap((channel) => channel.first ?? []).sort()[0];
  const last = meter.channels.flatMap((channel) => channel.last ?? []).sort().at(-1);
  return (
    <tr>
      <td><a href={hrefOf("meter", meter.meter)}>{meter.meter}</a></td>
      <td>{meter.channels.map(({ channel, unit }) => `${channel}, ${unit ?? "unknown unit"}`)
        .join("; ")}</td>
      <td class="dates">
        {first && last ? format.rangeText({ from: first, to: last }) : format.unknown}</td>
    </tr>
  );
}

/** Opens when the server wants to know who asks. */
function KeyDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const waiting = useRef<{
    promise: Promise<string>; give: (key: string) => void; giveUp: (problem: Error) => void;
  }>();
  const [isWrong, setWrong] = useState(false);
  const [text, setText] = useState("");
  // Before the first question is answered: those are asked in layout effects.
  useLayoutEffect(() => {
    api.onKeyWanted((wrong) => {
      if (!waiting.current) {
        let give: (key: string) => void = () => undefined;
        let giveUp: (problem: Error) => void = () => undefined;
        const promise = new Promise<string>((resolve, reject) => {
          give = resolve;
          giveUp = reject;
        });
        waiting.current = { promise, give, giveUp };
        setWrong(wrong);
        setText("");
        dialog.current?.showModal();
      }
      return waiting.current.promise;
    });
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onClose={() => {
      waiting.current?.giveUp(new api.Problem("The server answers only to those who have a key.",
        401));
      waiting.current = undefined;
    }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        waiting.current?.give(text.trim());
        waiting.current = undefined;
        dialog.current?.close();
      }}>
        <h2 id="key-title">This server wants a key</h2>
        {isWrong && <p class="failed" role="alert">It does not take the key that was given.</p>}
        <p>An API key or a token. It is kept in the memory of this page only, and is gone when the
          page is closed or loaded again.</p>
        <label>Key
          <input type="password" required value={text} autocomplete="off" autofocus
            onInput={({ currentTarget: { value } }) => setText(value)} /></label>
        <div class="bar">
          <button type="submit" class="primary">Use it</button>
          <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
        </div>
      </form>
    </dialog>
  );
}

const place = document.getElementById("page");
if (place) {
  place.textContent = "";
  render(<Page />, place);
  // While the first answers are on their way.
  setTimeout(format.prepare);
}
