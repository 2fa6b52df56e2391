import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import * as format from "./format.ts";

/** Names of colours in page.css. */
export type Colour = "--consumption" | "--generation" | "--third" | "--compared";

export interface Line {
  label: string;
  /** One for each of ChartProps.starts; null: not known; undefined: it has no such start. */
  values: (number | null | undefined)[];
  colour: Colour;
  kind: "area" | "dashed" | "marks";
}

export interface ChartProps {
  /** For those who do not see it. */
  label: string;
  /** Labels of what follows each other: days, or local times with or without an offset. */
  starts: string[];
  lines: Line[];
  height: number;
  /** What the reading at an index is, in words. */
  describe: (index: number) => string;
  /** The part of it that is shown, both inclusive; default: all. */
  window?: [number, number] | undefined;
  /** Values that are parts of a whole. */
  isShare?: boolean;
  /** Of a day whose date means nothing. */
  isClock?: boolean;
  /** Where the reading stands, as long as nothing is pointed at. */
  hint?: string;
  onZoom?: ((first: number, last: number) => void) | undefined;
  /** In steps of what is shown. */
  onPan?: ((direction: -1 | 1) => void) | undefined;
  onOut?: (() => void) | undefined;
  onPick?: ((index: number) => void) | undefined;
}

/** Seconds from 1970: of a label with an offset by UTC, of others by their own clock. */
export function secondsOf(start: string): number {
  if (start.length === 10) return Date.parse(start + "T00:00:00Z") / 1000;
  const hasOffset = /(Z|[+-]\d\d:\d\d)$/.test(start);
  return Date.parse(hasOffset ? start : start + "Z") / 1000;
}

/** Seconds by which the clock of a label is ahead of UTC; undefined where it does not say. */
function offsetOf(start: string): number | undefined {
  const found = /T.*([+-])(\d\d):(\d\d)$/.exec(start);
  if (!found) return start.endsWith("Z") ? 0 : undefined;
  const seconds = Number(found[2]) * 3600 + Number(found[3]) * 60;
  return found[1] === "-" ? -seconds : seconds;
}

/** Where the clock is changed, and by how many seconds. */
export function clockChanges(starts: string[]): { index: number; seconds: number }[] {
  const changes = [];
  for (let index = 1; index < starts.length; ++index) {
    const before = offsetOf(starts[index - 1] ?? "");
    const after = offsetOf(starts[index] ?? "");
    if (before !== undefined && after !== undefined && before !== after)
      changes.push({ index, seconds: after - before });
  }
  return changes;
}

type Level = { takes: (start: string) => boolean; text: (start: string) => string };

function hoursLevel(hours: number): Level {
  return {
    takes: (start) => start.slice(14, 16) === "00" && Number(start.slice(11, 13)) % hours === 0,
    text: (start) => isMidnight(start) ? format.shortDayText(start) : format.timeText(start),
  };
}

function isMidnight(start: string): boolean {
  return start.length === 10 || start.slice(11, 16) === "00:00";
}

function isMonday(start: string): boolean {
  return isMidnight(start) && new Date(start.slice(0, 10) + "T00:00:00Z").getUTCDay() === 1;
}

/** Every so many days, counted from 1970. */
function daysLevel(days: number): Level {
  return {
    takes: (start) => isMidnight(start) && secondsOf(start.slice(0, 10)) / 86_400 % days === 0,
    text: format.shortDayText,
  };
}

function monthsLevel(months: number): Level {
  return {
    takes: (start) => isMidnight(start) && start.slice(8, 10) === "01" &&
      (Number(start.slice(5, 7)) - 1) % months === 0,
    text: (start) => start.slice(5, 7) === "01" ? start.slice(0, 4) : format.monthText(start),
  };
}

/** Ways to label a time axis, the finest first: by the clock and calendar of the meter. */
const levels: Level[] = [
  hoursLevel(1), hoursLevel(2), hoursLevel(3), hoursLevel(6), hoursLevel(12),
  { takes: isMidnight, text: format.shortDayText },
  { takes: isMonday, text: format.shortDayText },
  daysLevel(2), daysLevel(3), daysLevel(14),
  monthsLevel(1), monthsLevel(3), monthsLevel(12),
];

const tickWidth = 60;

/** By how much text is larger than usual, as it is on large screens. */
function textScale(): number {
  return Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
}

function ticksOf(
  { starts, isClock }: ChartProps, [low, high]: [number, number], width: number,
): { index: number; text: string }[] {
  for (const level of levels) {
    const indices = starts.flatMap((start, index) =>
      index >= low && index <= high && level.takes(start) ? [index] : []);
    const textOf = isClock ? format.timeText : level.text;
    if (indices.length > 1 && indices.length * tickWidth * textScale() <= width)
      return indices.map((index) => ({ index, text: textOf(starts[index] ?? "") }));
  }
  const first = starts[low] ?? "";
  return [{ index: low, text: isMidnight(first) && !isClock ? format.shortDayText(first)
    : format.timeText(first) }];
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function seriesOf(line: Line): uPlot.Series {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const stroke = colour(line.colour);
  if (line.kind === "marks")
    return {
      label: line.label, stroke, paths: () => null,
      points: { show: true, size: 7, width: 1.5, stroke, fill: colour("--panel") },
    };
  return {
    label: line.label, stroke, width: line.kind === "dashed" ? 1.5 : 1.75,
    ...(stepped ? { paths: stepped } : {}),
    ...(line.kind === "dashed" ? { dash: [5, 4] } : { fill: colour(`${line.colour}-fill`) }),
    points: { show: line.values.length < 3 },
  };
}

/** Lines across the chart where the clock is changed, with what happens to it. */
function drawClockChanges(plot: uPlot, starts: string[]): void {
  const context = plot.ctx;
  const ratio = uPlot.pxRatio;
  const fontSize = 11 * ratio * textScale();
  for (const { index, seconds } of clockChanges(starts)) {
    const at = plot.data[0][index];
    if (at === undefined) continue;
    const x = plot.valToPos(at, "x", true);
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
    context.save();
    context.strokeStyle = context.fillStyle = colour("--text-quiet");
    context.lineWidth = ratio;
    context.setLineDash([2 * ratio, 3 * ratio]);
    context.beginPath();
    context.moveTo(x, plot.bbox.top);
    context.lineTo(x, plot.bbox.top + plot.bbox.height);
    context.stroke();
    context.font = `${fontSize}px system-ui, sans-serif`;
    const isLeft = x > plot.bbox.left + plot.bbox.width / 2;
    context.textAlign = isLeft ? "right" : "left";
    const text = `clock ${seconds > 0 ? "+" : "−"}${Math.abs(seconds) / 3600} h`;
    context.fillText(text, x + (isLeft ? -4 : 4) * ratio, plot.bbox.top + fontSize);
    context.restore();
  }
}

/** The x values, and one more, up to which the last value holds. */
function edgesOf(starts: string[]): number[] {
  const edges = starts.map(secondsOf);
  const last = edges.at(-1);
  const before = edges.at(-2);
  if (last !== undefined) edges.push(last + (before === undefined ? 3600 : last - before));
  return edges;
}

function dataOf(edges: number[], lines: Line[]): uPlot.AlignedData {
  const values = lines.map((line) => {
    if (line.kind === "marks") return [...line.values, null];
    const last = line.values.findLast((value) => value !== undefined);
    return [...line.values, last];
  });
  return [edges, ...values];
}

/** The index of what covers a place, which begins there or before. */
function indexAt(plot: uPlot, left: number): number {
  const closest = plot.posToIdx(left);
  const at = plot.data[0][closest];
  const isAhead = at !== undefined && at > plot.posToVal(left, "x");
  return Math.max(0, Math.min(isAhead ? closest - 1 : closest, plot.data[0].length - 2));
}

function optionsOf(
  props: ChartProps, width: number, edges: number[], onIndex: (index: number | null) => void,
): uPlot.Options {
  const grid = { stroke: colour("--grid"), width: 1 };
  const scale = textScale();
  const axis = {
    stroke: colour("--text-quiet"), grid, ticks: grid, font: `${12 * scale}px system-ui`,
  };
  const [first, last] = props.window ?? [0, props.starts.length - 1];
  const shown = ticksOf(props, [first, last], width - 80)
    .map(({ index, text }) => ({ at: edges[index] ?? 0, text }));
  return {
    width, height: props.height * scale,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: {
      y: false, drag: { x: true, y: false, setScale: false, dist: 4 },
      points: { size: 7 },
      dataIdx: (plot, _series, closest) =>
        plot.cursor.left === undefined ? closest : indexAt(plot, plot.cursor.left),
    },
    scales: {
      x: { time: false, range: () => [edges[first] ?? 0, edges[last + 1] ?? 1] },
      y: {
        range: (_plot, low, high) => props.isShare ? [0, 1]
          : [Math.min(0, low ?? 0) * 1.05, Math.max(high ?? 0, 0) * 1.08 || 1],
      },
    },
    axes: [
      { ...axis, size: 30 * scale, splits: () => shown.map(({ at }) => at),
        values: () => shown.map(({ text }) => text) },
      { ...axis, size: 58 * scale, space: 36 * scale,
        ...(props.isShare ? { splits: () => [0, 0.5, 1] } : {}),
        values: (_plot, splits) => splits.map((value) =>
          props.isShare ? format.share(value, 1) : format.tick(value)) },
    ],
    series: [{}, ...props.lines.map(seriesOf)],
    hooks: {
      setCursor: [(plot) => {
        const { left } = plot.cursor;
        onIndex(left === undefined || left < 0 ? null : indexAt(plot, left));
      }],
      setSelect: [(plot) => {
        if (plot.select.width < 4) return;
        const from = indexAt(plot, plot.select.left);
        const to = indexAt(plot, plot.select.left + plot.select.width - 1);
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        props.onZoom?.(from, to);
      }],
      draw: [(plot) => drawClockChanges(plot, props.starts)],
    },
  };
}

/** Drawing while Shift is held pans instead of zooming, and a click picks. */
function listenToPointer(plot: uPlot, props: () => ChartProps): void {
  let began: number | undefined;
  plot.over.addEventListener("pointerdown", (event) => { began = event.clientX; });
  plot.root.addEventListener("mousedown", (event) => {
    if (event.shiftKey) event.stopPropagation();
  }, true);
  plot.over.addEventListener("pointerup", (event) => {
    const moved = event.clientX - (began ?? event.clientX);
    began = undefined;
    if (event.shiftKey && Math.abs(moved) > 20) props().onPan?.(moved < 0 ? 1 : -1);
    const { left } = plot.cursor;
    if (Math.abs(moved) < 4 && left !== undefined && left >= 0)
      props().onPick?.(indexAt(plot, left));
  });
}

function useWidth(): [preact.RefObject<HTMLDivElement>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (!element.current) return;
    setWidth(Math.floor(element.current.getBoundingClientRect().width));
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** Changes with the colours of the page. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const update = () => setDark(media.matches);
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, []);
  return isDark;
}

/** A chart with its reading in words, for the mouse and for keys. */
export function Chart(props: ChartProps): JSX.Element {
  const [element, width] = useWidth();
  const isDark = useScheme();
  const [index, setIndex] = useState<number | null>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  // A layout effect, so that no frame is painted without it.
  useLayoutEffect(() => {
    if (!element.current || width === 0 || props.starts.length === 0) return;
    const edges = edgesOf(props.starts);
    const options = optionsOf(latest.current, width, edges, setIndex);
    const made = new uPlot(options, dataOf(edges, props.lines), element.current);
    listenToPointer(made, () => latest.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
      setIndex(null);
    };
  }, [width, isDark, props.starts, props.lines, props.height, props.window?.[0],
    props.window?.[1]]);

  const last = props.starts.length - 1;
  const shown = index === null ? null : Math.min(index, last);

  function moveTo(wanted: number): void {
    const [low, high] = props.window ?? [0, last];
    const to = Math.max(low, Math.min(high, wanted));
    const at = plot.current?.data[0][to];
    if (plot.current && at !== undefined)
      plot.current.setCursor({ left: plot.current.valToPos(at, "x") + 1, top: 10 });
    setIndex(to);
  }

  function zoom(): void {
    const [low, high] = props.window ?? [0, last];
    const quarter = Math.max(1, Math.floor((high - low + 1) / 4));
    const middle = shown ?? Math.floor((low + high) / 2);
    props.onZoom?.(Math.max(low, middle - quarter), Math.min(high, middle + quarter));
  }

  function onKeyDown(event: KeyboardEvent): void {
    const [low, high] = props.window ?? [0, last];
    const step = event.key === "ArrowLeft" ? -1 : 1;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => event.shiftKey ? props.onPan?.(step)
        : moveTo(shown === null ? high : shown - 1),
      ArrowRight: () => event.shiftKey ? props.onPan?.(step)
        : moveTo(shown === null ? low : shown + 1),
      Home: () => moveTo(low),
      End: () => moveTo(high),
      "+": zoom,
      "=": zoom,
      "-": () => props.onOut?.(),
      Escape: () => props.onOut?.(),
      Enter: () => shown !== null && props.onPick?.(shown),
    };
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  return (
    <div class="chart">
      <p class="readout" aria-live="polite">
        {shown === null ? <span class="quiet">{props.hint}</span>
          : props.describe(shown)}
      </p>
      <div ref={element} class="plot"
        style={{ height: `max(${props.height}px, ${props.height / 16}rem)` }}
        tabIndex={0} role="application" aria-roledescription="chart" aria-label={props.label}
        onKeyDown={onKeyDown} />
    </div>
  );
}
