import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import * as api from "./api.ts";
import { type Answer, Shown, useAnswer } from "./ask.tsx";
import { Chart, type Colour, type Line } from "./chart.tsx";
import {
  daysBetween, neighbour, plus, type Range, rangeAround, type Span, spanOf,
} from "./days.ts";
import * as format from "./format.ts";
import { channelText, pathOf, type Resolution } from "./readings.ts";
import { change } from "./route.ts";
import { MeterBox } from "./search.tsx";

/** What is compared with: `week` or `year` before, `meter:ID` for another meter. */
interface Comparison {
  meter: string;
  range: Range;
  /** By which its days are moved to lie on those that are shown. */
  days: number;
  text: string;
}

function comparisonOf(
  text: string | undefined, meter: string, range: Range,
): Comparison | undefined {
  if (!text) return undefined;
  if (text.startsWith("meter:")) {
    const other = text.slice("meter:".length);
    return other ? { meter: other, range, days: 0, text: other } : undefined;
  }
  const length = daysBetween(range.from, range.to) + 1;
  const days = text === "year" ? 364 : Math.ceil(length / 7) * 7;
  const before = { from: plus(range.from, -days), to: plus(range.to, -days) };
  return { meter, range: before, days, text: format.rangeText(before) };
}

const colours: Record<api.Flow, Colour> = {
  consumption: "--consumption", generation: "--generation", reactive: "--third", other: "--third",
};

/** Those that can be drawn on one axis with the chosen one. */
function together(channels: api.Series[], chosen: api.Channel | undefined): api.Series[] {
  if (!chosen) return channels;
  const flows: api.Flow[] = ["consumption", "generation"];
  return channels.filter((channel) => channel.channel === chosen.channel
    ? channel.flow === chosen.flow
    : channel.unit === chosen.unit && flows.includes(channel.flow) && flows.includes(chosen.flow));
}

function isChanged({ quality }: api.Point): boolean {
  return quality.estimated + quality.substituted > 0;
}

interface Drawn {
  starts: string[];
  lines: Line[];
  points: { channel: api.Series; at: Map<string, api.Point> }[];
}

/** The labels of all channels, in the order of time. */
function startsOf(channels: api.Series[]): string[] {
  const first = channels[0]?.series.map(({ start }) => start) ?? [];
  const others = channels.slice(1).flatMap(({ series }) => series.map(({ start }) => start));
  const known = new Set(first);
  const more = others.filter((start) => !known.has(start));
  if (more.length === 0) return first;
  return [...new Set([...first, ...more])].sort((a, b) => Date.parse(a) - Date.parse(b));
}

/** A label as it would be so many days later, without the offset from UTC. */
function moved(start: string, days: number): string {
  return plus(start.slice(0, 10), days) + start.slice(10, 19);
}

function drawnOf(
  channels: api.Series[], other: api.Series | undefined, comparison: Comparison | undefined,
): Drawn {
  const starts = startsOf(channels);
  const points = channels.map((channel) => (
    { channel, at: new Map(channel.series.map((point) => [point.start, point])) }));
  const lines: Line[] = points.map(({ channel, at }) => ({
    label: channelText(channel), colour: colours[channel.flow], kind: "area",
    values: starts.map((start) => at.get(start)?.sum),
  }));
  for (const { channel, at } of points)
    if (channel.series.some(isChanged))
      lines.push({
        label: `${channelText(channel)}, estimated`, colour: colours[channel.flow], kind: "marks",
        values: starts.map((start) => {
          const point = at.get(start);
          return point && isChanged(point) ? point.sum : null;
        }),
      });
  if (other && comparison) {
    const sums = new Map(other.series.map(({ start, sum }) =>
      [moved(start, comparison.days), sum]));
    lines.push({
      label: comparison.text, colour: "--compared", kind: "dashed",
      values: starts.map((start) => sums.get(moved(start, 0))),
    });
  }
  return { starts, lines, points };
}

function spanText(start: string, resolution: Resolution, next: string | undefined): string {
  if (resolution === "month") return format.monthAndYearText(start);
  if (start.length === 10) return format.dayText(start);
  const end = next && next.slice(0, 10) === start.slice(0, 10) ? `–${format.timeText(next)}` : "";
  return `${format.dayText(start)}, ${format.timeText(start)}${end}`;
}

function pointText(point: api.Point | undefined, unit: string | null): string {
  if (!point || point.readings === 0) return "missing";
  const kind = isChanged(point) ? " (estimated)" : "";
  const part = point.readings < point.expected
    ? ` (${format.count(point.readings)} of ${format.count(point.expected)} readings)` : "";
  const note = point.note?.reasonText ? `: ${point.note.reasonText}` : "";
  return format.withUnit(point.sum, unit) + kind + part + note;
}

export interface CurveProps {
  meter: api.Meter;
  chosen: api.KnownChannel | undefined;
  range: Range;
  resolution: Resolution;
  answer: Answer<api.Consumption>;
  compare: string | undefined;
  asOf: string | undefined;
  zoom: string | undefined;
}

/** What a meter used over a range of days: the curve, and what it adds up to. */
export function Curve(props: CurveProps): JSX.Element {
  const { meter, chosen, range, resolution, asOf } = props;
  const id = meter.meter;
  const comparison = comparisonOf(props.compare, id, range);
  const other = useAnswer<api.Consumption>(
    comparison && pathOf(comparison.meter, comparison.range, resolution, asOf));
  return (
    <section class="panel" aria-labelledby="curve-title">
      <div class="panel-head">
        <h2 id="curve-title">{format.rangeText(range)}</h2>
        <RangeBar range={range} chosen={chosen} />
      </div>
      <div class="bar">
        <Compare compare={props.compare} isWrong={other.problem?.message} />
        <Save path={pathOf(id, range, resolution, asOf)}
          name={`${id}_${range.from}_${range.to}_${resolution}.csv`} />
      </div>
      <Shown answer={props.answer} what="readings of these days">
        {(data) => (
          <Drawing {...props} data={data} comparison={comparison}
            other={comparison && other.data} />
        )}
      </Shown>
    </section>
  );
}

function Drawing(props: CurveProps & {
  data: api.Consumption;
  comparison: Comparison | undefined;
  other: api.Consumption | undefined;
}): JSX.Element {
  const { data, resolution, comparison, chosen, range } = props;
  const channels = useMemo(() => together(data.channels, chosen), [data, chosen]);
  const compared = props.other?.channels.find(({ flow, unit }) =>
    flow === (chosen?.flow ?? "consumption") && unit === (chosen?.unit ?? unit));
  const drawn = useMemo(() => drawnOf(channels, compared, comparison),
    [channels, compared, comparison?.days, comparison?.text]);
  const { starts, lines } = drawn;
  const unit = channels[0]?.unit ?? null;
  if (channels.every(({ readings }) => readings === 0))
    return <p class="empty">Nothing is stored of these days.</p>;

  const [first, last] = windowOf(props.zoom, starts.length);
  const describe = (index: number): string => {
    const start = starts[index] ?? "";
    const told = drawn.points.map(({ channel, at }) =>
      `${channelText(channel)} ${pointText(at.get(start), channel.unit)}`);
    const beside = lines.find(({ kind }) => kind === "dashed");
    if (beside) told.push(`${beside.label} ${format.withUnit(beside.values[index] ?? null, unit)}`);
    return `${spanText(start, resolution, starts[index + 1])}: ${told.join(", ")}`;
  };
  const zoomTo = (from: number, to: number): void => {
    const days = { from: starts[from]?.slice(0, 10), to: starts[to]?.slice(0, 10) };
    if (!days.from || !days.to) return;
    if (resolution === "month") days.to = rangeAround(days.to, "month").to;
    const isNarrower = days.from > range.from || days.to < range.to;
    if (isNarrower) change({ ...days, zoom: undefined, asOf: undefined });
    else if (to > from) change({ zoom: `${from}-${to}` });
  };
  const per = resolution === "interval" ? "interval" : resolution;
  return (
    <>
      <Chart label={`Load curve of ${format.rangeText(range)}, ` +
        `${unit ?? "unknown unit"} per ${per}. Left and right move, plus zooms in, minus out, ` +
        "Shift with left and right pans."}
        starts={starts} lines={lines} height={280} describe={describe}
        hint="Point at the curve, draw over it to zoom in, or use the arrow keys on it."
        window={props.zoom ? [first, last] : undefined}
        onZoom={zoomTo} onOut={() => zoomOut(range, props.zoom)}
        onPan={(direction) => change({ ...neighbour(range, direction), zoom: undefined,
          asOf: undefined })} />
      <ul class="legend">
        {lines.map(({ label, colour, kind }) => (
          <li key={label}><i class={`line ${kind}`} data-colour={colour} /> {label}</li>
        ))}
        <li class="quiet">{unit ?? "unknown unit"} per {perText(resolution, interval(starts))}</li>
      </ul>
      <Totals channels={channels} compared={compared} text={comparison?.text} />
      <Values drawn={drawn} describe={describe} />
    </>
  );
}

function interval(starts: string[]): number {
  const [first, second] = starts;
  return first && second ? (Date.parse(second) - Date.parse(first)) / 60_000 : 0;
}

function perText(resolution: Resolution, minutes: number): string {
  if (resolution !== "interval" || minutes === 0) return resolution;
  return minutes === 60 ? "hour" : `${minutes} minutes`;
}

function windowOf(zoom: string | undefined, length: number): [number, number] {
  const found = /^(\d+)-(\d+)$/.exec(zoom ?? "");
  const last = Math.min(Number(found?.[2] ?? length - 1), length - 1);
  return [Math.min(Number(found?.[1] ?? 0), last), last];
}

function zoomOut(range: Range, zoom: string | undefined): void {
  if (zoom) return change({ zoom: undefined });
  const wider: Record<Span, Span> = { day: "week", week: "month", month: "year", year: "year" };
  const span = spanOf(range);
  const around = rangeAround(range.from, span ? wider[span] : "month");
  const isWider = daysBetween(around.from, around.to) > daysBetween(range.from, range.to);
  change({ ...(isWider ? around : rangeAround(range.from, "year")), asOf: undefined });
}

function RangeBar(props: { range: Range; chosen: api.KnownChannel | undefined }): JSX.Element {
  const { range } = props;
  const current = spanOf(range);
  const show = (next: Range) => change({ ...next, zoom: undefined, asOf: undefined });
  const spans: [Span, string][] = [
    ["day", "Day"], ["week", "Week"], ["month", "Month"], ["year", "Year"]];
  return (
    <div class="bar" role="group" aria-label="Days shown">
      <button type="button" onClick={() => show(neighbour(range, -1))}
        aria-label="Before">←</button>
      {spans.map(([span, text]) => (
        <button type="button" key={span} aria-pressed={span === current}
          onClick={() => show(rangeAround(range.from, span))}>{text}</button>
      ))}
      <button type="button" onClick={() => show(neighbour(range, 1))}
        aria-label="After">→</button>
      <label class="inline"><span class="hidden">From</span>
        <input type="date" value={range.from} max={range.to}
          onChange={({ currentTarget: { value } }) => value && value <= range.to &&
            show({ from: value, to: range.to })} />
      </label>
      <label class="inline"><span class="hidden">To</span>
        <input type="date" value={range.to} min={range.from}
          onChange={({ currentTarget: { value } }) => value && value >= range.from &&
            show({ from: range.from, to: value })} />
      </label>
    </div>
  );
}

function Compare(props: {
  compare: string | undefined; isWrong: string | undefined;
}): JSX.Element {
  const { compare = "" } = props;
  const isMeter = compare.startsWith("meter:");
  const [wanted, setWanted] = useState(isMeter);
  useEffect(() => setWanted(isMeter), [isMeter]);
  return (
    <div class="bar">
      <label>Compare with{" "}
        <select value={wanted ? "meter" : compare} onChange={({ currentTarget: { value } }) => {
          setWanted(value === "meter");
          change({ compare: value === "meter" ? undefined : value });
        }}>
          <option value="">nothing</option>
          <option value="week">same weekdays before</option>
          <option value="year">same weekdays, last year</option>
          <option value="meter">another meter</option>
        </select>
      </label>
      {wanted && (
        <MeterBox id="others" label="Other meter" placeholder="Meter id"
          value={isMeter ? compare.slice("meter:".length) : ""}
          onPick={(meter) => change({ compare: meter ? `meter:${meter}` : undefined })} />
      )}
      {compare && props.isWrong && <span class="wrong" role="alert">{props.isWrong}</span>}
    </div>
  );
}

/** Saves the answer that is shown. */
export function Save({ path, name }: { path: string; name: string }): JSX.Element {
  const [problem, setProblem] = useState("");
  useEffect(() => setProblem(""), [path]);
  return (
    <>
      <button type="button" onClick={() => {
        api.download(path, name).then(
          () => setProblem(""), (error: unknown) => setProblem(String(error)));
      }}>Save as CSV</button>
      {problem && <span class="wrong" role="alert">{problem}</span>}
    </>
  );
}

function Totals(props: {
  channels: api.Series[]; compared: api.Series | undefined; text: string | undefined;
}): JSX.Element {
  const { compared } = props;
  return (
    <dl class="totals">
      {props.channels.map((channel) => (
        <div key={channel.channel}>
          <dt>{channelText(channel)}</dt>
          <dd>
            <strong>{format.withUnit(channel.sum, channel.unit)}</strong>
            <span>{format.count(channel.readings)} of {format.count(channel.expected)} readings
              {" "}({format.share(channel.readings, channel.expected)})</span>
            <QualityText quality={channel.quality} />
            {compared && compared.flow === channel.flow && channel.sum !== null &&
              compared.sum !== null && (
              <span>{format.changeOf(compared.sum, channel.sum)} against{" "}
                {format.withUnit(compared.sum, compared.unit)}, {props.text}</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function QualityText({ quality }: { quality: api.Quality }): JSX.Element | null {
  const parts = ([["estimated", quality.estimated], ["substituted", quality.substituted],
    ["missing", quality.missing]] as const).filter(([, number]) => number > 0);
  if (parts.length === 0) return null;
  return <span>{parts.map(([name, number]) => `${format.count(number)} ${name}`).join(", ")}</span>;
}

const rowsMax = 400;

/** The curve as text, for those who read it. */
function Values(props: { drawn: Drawn; describe: (index: number) => string }): JSX.Element {
  const { starts } = props.drawn;
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Values</summary>
      {isOpen && (
        <ul class="values" tabIndex={0} aria-label="Values">
          {starts.slice(0, rowsMax).map((start, index) => (
            <li key={start}>{props.describe(index)}</li>))}
        </ul>
      )}
      {isOpen && starts.length > rowsMax && (
        <p class="quiet">The first {format.count(rowsMax)} of {format.count(starts.length)}:
          the CSV file has them all.</p>
      )}
    </details>
  );
}
