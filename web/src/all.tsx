import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import * as api from "./api.ts";
import { Shown, useAnswer } from "./ask.tsx";
import { Chart, type Line } from "./chart.tsx";
import { Save } from "./curve.tsx";
import {
  daysBetween, isDay, neighbour, type Range, rangeAround, type Span, spanOf, today,
} from "./days.ts";
import * as format from "./format.ts";
import { channelText } from "./readings.ts";
import { change, hrefOf, type Route, useWritten } from "./route.ts";

/** All meters together: what they used, who used most, and of whom days are missing. */
export function AllView({ route }: { route: Route }): JSX.Element {
  const { from, to } = route.parameters;
  const isGiven = isDay(from) && isDay(to) && from <= to;
  // Where to begin: where the first meters end.
  const meters = useAnswer<api.Meters>(isGiven ? undefined : "v1/meters?limit=100");
  if (isGiven) return <Known range={{ from, to }} route={route} />;
  return (
    <Shown answer={meters} what="meters">
      {(data) => {
        const days = data.meters.flatMap(({ channels }) => channels.flatMap(({ last }) =>
          last ?? [])).sort();
        if (data.meters.length === 0)
          return (
            <p class="empty">No meter is known yet. Drop a file anywhere on this page, or see{" "}
              <a href={hrefOf("deliveries")}>Deliveries</a>.</p>
          );
        return <Known range={rangeAround(days.at(-1) ?? today(), "month")} route={route} />;
      }}
    </Shown>
  );
}

function Known({ range, route }: { range: Range; route: Route }): JSX.Element {
  const { parameters } = route;
  useWritten(route, { ...range });
  const chosen = parameters["day"];
  const day = isDay(chosen) ? chosen : range.to;
  return (
    <>
      <header class="view-head">
        <h1>All meters</h1>
      </header>
      <Totals range={range} channel={parameters["channel"]} day={day} />
      <div class="two">
        <TopPanel range={range} channel={parameters["channel"]}
          order={parameters["order"] === "lowest" ? "lowest" : "highest"} />
        <MissingPanel day={day} />
      </div>
    </>
  );
}

function Totals(props: {
  range: Range; channel: string | undefined; day: string;
}): JSX.Element {
  const { range, channel, day } = props;
  const days = daysBetween(range.from, range.to) + 1;
  const resolution = days > 1500 ? "month" : "day";
  const path = api.query("v1/portfolio", { ...range, resolution });
  const answer = useAnswer<api.Portfolio>(path);
  const show = (next: Range) => change({ ...next, day: undefined });
  const spans: [Span, string][] = [["week", "Week"], ["month", "Month"], ["year", "Year"]];
  return (
    <section class="panel" aria-labelledby="totals-title">
      <div class="panel-head">
        <h2 id="totals-title">{format.rangeText(range)}</h2>
        <div class="bar" role="group" aria-label="Days shown">
          <button type="button" aria-label="Before"
            onClick={() => show(neighbour(range, -1))}>←</button>
          {spans.map(([span, text]) => (
            <button type="button" key={span} aria-pressed={spanOf(range) === span}
              onClick={() => show(rangeAround(range.from, span))}>{text}</button>))}
          <button type="button" aria-label="After"
            onClick={() => show(neighbour(range, 1))}>→</button>
          <Save path={path} name={`all-meters_${range.from}_${range.to}.csv`} />
        </div>
      </div>
      <Shown answer={answer} what="totals">
        {({ channels }) => channels.length === 0
          ? <p class="empty">Nothing is stored of these days.</p>
          : <TotalsOf channels={channels} channel={channel} range={range} day={day} />}
      </Shown>
    </section>
  );
}

function byName<T extends api.Channel>(channels: T[], name: string | undefined): T | undefined {
  return channels.find((channel) => channelText(channel) + (channel.unit ?? "") === name)
    ?? channels.find(({ flow }) => flow === "consumption") ?? channels[0];
}

function TotalsOf(props: {
  channels: api.PortfolioSeries[]; channel: string | undefined; range: Range; day: string;
}): JSX.Element {
  const { channels, range, day } = props;
  const chosen = byName(channels, props.channel);
  const starts = useMemo(() => chosen?.series.map(({ start }) => start) ?? [], [chosen]);
  const sums = useMemo<Line[]>(() => [{
    label: "total", kind: "area",
    colour: chosen?.flow === "generation" ? "--generation" : "--consumption",
    values: chosen?.series.map(({ sum }) => sum) ?? [],
  }], [chosen]);
  const parts = useMemo<Line[]>(() => [{
    label: "readings present", kind: "area", colour: "--third",
    values: chosen?.series.map(({ readings, expected }) =>
      expected === 0 ? null : readings / expected) ?? [],
  }], [chosen]);
  if (!chosen) return <p class="empty">Nothing is stored of these days.</p>;
  const unit = chosen.unit;
  const describe = (index: number) => {
    const point = chosen.series[index];
    if (!point) return "";
    return `${format.dayText(point.start)}: ${format.withUnit(point.sum, unit)} of ` +
      `${format.count(point.meters)} meters, ${format.count(point.metersIncomplete)} of them ` +
      `incomplete; ${coverage(point)}`;
  };
  const pick = (index: number) => change({ ...range, day: starts[index] });
  const zoom = (first: number, last: number) => last > first &&
    change({ from: starts[first], to: starts[last], day: undefined });
  const acts = {
    onPick: pick, onZoom: zoom,
    onPan: (direction: -1 | 1) => change({ ...neighbour(range, direction), day: undefined }),
    onOut: () => change({ ...rangeAround(range.from, spanOf(range) === "week" ? "month" : "year"),
      day: undefined }),
  };
  return (
    <>
      <dl class="totals">
        <div><dt>Total</dt><dd><strong>{format.withUnit(chosen.sum, unit)}</strong>
          <span>{coverage(chosen)}</span></dd></div>
        <div><dt>Average meter</dt><dd><strong>{format.withUnit(chosen.average, unit)}</strong>
          </dd></div>
        <div><dt>Meters</dt><dd><strong>{format.count(chosen.meters)}</strong>
          <span>{format.count(chosen.metersIncomplete)} incomplete</span></dd></div>
      </dl>
      {channels.length > 1 && (
        <label>Channel{" "}
          <select value={channelText(chosen) + (unit ?? "")}
            onChange={({ currentTarget: { value } }) => change({ ...range, channel: value })}>
            {channels.map((one) => (
              <option key={channelText(one) + (one.unit ?? "")}
                value={channelText(one) + (one.unit ?? "")}>
                {channelText(one)}, {one.unit ?? "unknown unit"}</option>))}
          </select>
        </label>
      )}
      <h3>{unit ?? "Unknown unit"} a day</h3>
      <Chart label={`Total of all meters, ${unit ?? "unknown unit"} a day. Enter lists the ` +
        "meters that lack the day."} starts={starts} lines={sums} height={240}
        hint="Point at a day, draw over days to zoom in, or use the arrow keys."
        describe={describe} {...acts} />
      <h3>Readings present of those expected</h3>
      <Chart label="Readings present of those expected, by day" starts={starts} lines={parts}
        height={110} isShare hint="Point at a day, or use the arrow keys."
        describe={describe} {...acts} />
      <p class="quiet">A click on a day lists below whom it lacks; now {format.dayText(day)}.</p>
    </>
  );
}

function coverage(total: api.Total): string {
  return `${format.count(total.readings)} of ${format.count(total.expected)} readings ` +
    `(${format.share(total.readings, total.expected)})`;
}

function TopPanel(props: {
  range: Range; channel: string | undefined; order: "highest" | "lowest";
}): JSX.Element {
  const { range, order } = props;
  const path = api.query("v1/top", { ...range, order, limit: "10" });
  const answer = useAnswer<api.Top>(path);
  return (
    <section class="panel" aria-labelledby="top-title">
      <div class="panel-head">
        <h2 id="top-title">Who used {order === "highest" ? "most" : "least"}</h2>
        <div class="bar">
          <button type="button" onClick={() => change({ ...range,
            order: order === "highest" ? "lowest" : undefined })}>
            Show {order === "highest" ? "least" : "most"}</button>
          <Save path={path} name={`${order}_${range.from}_${range.to}.csv`} />
        </div>
      </div>
      <Shown answer={answer} what="ranking">
        {({ channels }) => {
          const chosen = byName(channels, props.channel);
          if (!chosen || chosen.top.length === 0)
            return <p class="empty">No meter has a reading of these days.</p>;
          const most = Math.max(...chosen.top.map(({ sum }) => Math.abs(sum ?? 0)), 0);
          const share = (sum: number | null) => most === 0 ? 0 : Math.abs(sum ?? 0) / most;
          return (
            <table>
              <thead><tr><th scope="col">Meter</th>
                <th scope="col" class="number">{chosen.unit ?? "Sum"}</th>
                <th scope="col" class="number">Whole days</th></tr></thead>
              <tbody>
                {chosen.top.map(({ meter, sum, days }) => (
                  <tr key={meter}>
                    <td><a href={hrefOf("meter", meter, { ...range })}>{meter}</a></td>
                    <td class="number">
                      <span class="part" style={{
                        width: `calc(${share(sum)} * (100% - 0.8rem))` }} />
                      {format.amount(sum)}</td>
                    <td class="number">{format.count(days)}</td>
                  </tr>))}
              </tbody>
            </table>
          );
        }}
      </Shown>
    </section>
  );
}

const pageLimit = 25;

function MissingPanel({ day }: { day: string }): JSX.Element {
  const [cursors, setCursors] = useState<string[]>([]);
  useEffect(() => setCursors([]), [day]);
  const path = api.query("v1/gaps", { date: day, limit: String(pageLimit),
    cursor: cursors.at(-1) });
  const answer = useAnswer<api.Gaps>(path);
  return (
    <section class="panel" aria-labelledby="missing-title">
      <div class="panel-head">
        <h2 id="missing-title">Meters without this day</h2>
        <div class="bar">
          <label><span class="hidden">Day</span>
            <input type="date" value={day} onChange={({ currentTarget: { value } }) =>
              value && change({ day: value })} />
          </label>
          <Save path={api.query("v1/gaps", { date: day, limit: "1000" })}
            name={`gaps_${day}.csv`} />
        </div>
      </div>
      <Shown answer={answer} what="list of gaps">
        {(data) => (
          <>
            <p>{data.total.metersWithGaps === 0
              ? `All ${format.count(data.total.meters)} meters have it whole.`
              : `${format.count(data.total.metersWithGaps)} of ` +
                `${format.count(data.total.meters)} meters lack it, or a part of it.`}</p>
            {data.meters.length > 0 && <MissingTable meters={data.meters} day={day} />}
            <div class="bar">
              {cursors.length > 0 && <button type="button"
                onClick={() => setCursors(cursors.slice(0, -1))}>Page before</button>}
              {data.next && <button type="button"
                onClick={() => setCursors([...cursors, data.next ?? ""])}>Next page</button>}
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

function MissingTable(props: { meters: api.Gaps["meters"]; day: string }): JSX.Element {
  const { meters, day } = props;
  const last = useLastDays(meters.map(({ meter }) => meter));
  const late = (meter: string, channel: api.Channel) => {
    const known = last.get(meter)?.channels.find((one) => one.channel === channel.channel &&
      one.flow === channel.flow)?.last;
    if (!known) return "";
    return known < day ? `late: ${format.dayText(known)}` : format.dayText(known);
  };
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label="List of meters">
      <table>
        <thead><tr><th scope="col">Meter</th><th scope="col">Lacks</th>
          <th scope="col">Its last day</th></tr></thead>
        <tbody>
          {meters.flatMap(({ meter, channels }) => channels.map((channel) => (
            <tr key={meter + channelText(channel)}>
              <td><a href={hrefOf("meter", meter, { from: day, to: day })}>{meter}</a></td>
              <td>{channel.stored === 0 ? "all" : "a part"} of {channelText(channel)}</td>
              <td>{late(meter, channel)}</td>
            </tr>)))}
        </tbody>
      </table>
    </div>
  );
}

/**
 * What is known of each meter of a page, as it comes. GET /v1/late would not do: it has only meters
 * of which every channel is late, and of the others no last day.
 */
function useLastDays(ids: string[]): Map<string, api.Meter> {
  const [known, setKnown] = useState(new Map<string, api.Meter>());
  const all = ids.join(" ");
  useEffect(() => {
    const abort = new AbortController();
    const each = all === "" ? [] : all.split(" ").map((id) =>
      api.ask<api.Meter>(api.ofMeter(id), abort.signal).catch(() => undefined));
    void Promise.all(each).then((meters) => {
      if (!abort.signal.aborted)
        setKnown(new Map(meters.flatMap((meter) => meter ? [[meter.meter, meter]] : [])));
    });
    return () => abort.abort();
  }, [all]);
  return known;
}
