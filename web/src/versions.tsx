import type { JSX } from "preact";

import * as api from "./api.ts";
import { Shown, useAnswer } from "./ask.tsx";
import * as format from "./format.ts";
import { channelText } from "./readings.ts";
import { nameOf } from "./report.tsx";
import { change, hrefOf } from "./route.ts";

/** When the answer may have become another: each receipt, withdrawal and return. */
function timesOf(versions: api.DayVersion[]): string[] {
  const times = versions.flatMap(({ version, delivery }) =>
    [version.received, ...(delivery.events ?? []).map(({ at }) => at)]);
  return [...new Set(times)].sort((a, b) => Date.parse(a) - Date.parse(b) || (a < b ? -1 : 1));
}

/** How a day came to be: its versions, and a slider to see it as it was known then. */
export function Versions(props: {
  meter: string;
  day: string;
  chosen: api.KnownChannel | undefined;
  asOf: string | undefined;
}): JSX.Element {
  const { meter, day, chosen, asOf } = props;
  const answer = useAnswer<api.History>(
    api.query(api.ofMeter(meter, "history"), { date: day }));
  return (
    <section class="panel" aria-labelledby="versions-title">
      <div class="panel-head"><h2 id="versions-title">How this day came to be</h2></div>
      <Shown answer={answer} what="versions of the day">
        {({ channels }) => {
          const channel = channels.find((one) => one.channel === chosen?.channel &&
            one.flow === chosen.flow);
          if (!channel || channel.versions.length === 0)
            return <p class="empty">No delivery has said anything of this day.</p>;
          return (
            <>
              <AsOf times={timesOf(channel.versions)} asOf={asOf} />
              <h3>{channelText(channel)}</h3>
              <ol class="versions">
                {channel.versions.map((version) => (
                  <Version key={version.delivery.id + version.version.received} version={version}
                    unit={channel.unit} asOf={asOf} />))}
              </ol>
            </>
          );
        }}
      </Shown>
    </section>
  );
}

function AsOf({ times, asOf }: { times: string[]; asOf: string | undefined }): JSX.Element {
  const found = times.findLastIndex((time) => asOf !== undefined &&
    Date.parse(time) <= Date.parse(asOf));
  const at = asOf === undefined ? times.length - 1 : found;
  const text = at === times.length - 1 ? "now"
    : at < 0 ? "before anything came" : format.instantText(times[at] ?? "");
  return (
    <div class="as-of">
      <label for="as-of">As known</label>
      <input id="as-of" type="range" min={0} max={Math.max(1, times.length - 1)} step={1}
        value={Math.max(0, at)} disabled={times.length < 2} aria-valuetext={text}
        onInput={({ currentTarget }) => {
          const step = Number(currentTarget.value);
          change({ asOf: step === times.length - 1 ? undefined : times[step] });
        }} />
      <output for="as-of">{text}</output>
      {times.length < 2 && <span class="quiet">There is one version only.</span>}
    </div>
  );
}

const changesMax = 6;

function Version(props: {
  version: api.DayVersion; unit: string | null; asOf: string | undefined;
}): JSX.Element {
  const { version, unit, asOf } = props;
  const { delivery, changes } = version;
  const { stated, received } = version.version;
  const isLater = asOf !== undefined && Date.parse(received) > Date.parse(asOf);
  const state = delivery.state === "withdrawn" ? "withdrawn"
    : version.counts ? "counts" : "replaced";
  return (
    <li class={isLater ? "later" : undefined}>
      <p>
        <span class="badge" data-state={state}>{state}</span>{" "}
        <strong>{format.withUnit(version.sum, unit)}</strong>,{" "}
        {format.count(version.readings)} of {format.count(version.expected)} readings
        {version.origin === "estimate" && ", an estimate"}
      </p>
      <p>Received {format.instantText(received)}, stated {format.instantText(stated)}, by{" "}
        <a href={hrefOf("deliveries", delivery.id)}>
          {delivery.source ? nameOf({ source: delivery.source }) : delivery.id}</a></p>
      {delivery.events?.map(({ kind, at, who, reason }) => (
        <p key={at}>{kind === "withdrawn" ? "Withdrawn" : "Brought back"}{" "}
          {format.instantText(at)} by {who}{reason && `: ${reason}`}</p>
      ))}
      {changes.length === 0 ? <p class="quiet">It changed nothing.</p> : (
        <details>
          <summary>It changed {format.count(changes.length)}{" "}
            {changes.length === 1 ? "reading" : "readings"}</summary>
          <ul>
            {changes.slice(0, changesMax).map((one) => (
              <li key={one.start}>{format.timeText(one.start)}: {format.amount(one.before)} →{" "}
                {format.withUnit(one.after, unit)}
                {one.qualityBefore !== one.qualityAfter &&
                  `, ${one.qualityBefore} → ${one.qualityAfter}`}</li>))}
          </ul>
          {changes.length > changesMax && (
            <p class="quiet">and {format.count(changes.length - changesMax)} more</p>)}
        </details>
      )}
    </li>
  );
}
