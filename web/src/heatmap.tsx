import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";

import type { Point, Series } from "./api.ts";
import { type Day, daysBetween, plus, weekdayOf, yearOf } from "./days.ts";
import * as format from "./format.ts";

const classes = 6;
const daysOfWeek = 7;

/** Where classes of a scale begin: even steps over all but the lowest and highest days. */
export function stepsOf(sums: number[]): number[] {
  const sorted = [...sums].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) * 0.02)] ?? 0;
  const high = sorted[Math.floor((sorted.length - 1) * 0.98)] ?? 0;
  const step = (high - low) / classes;
  return Array.from({ length: classes }, (_, index) => low + index * step);
}

function classOf(sum: number, steps: number[]): number {
  return Math.max(0, steps.findLastIndex((begin) => sum >= begin));
}

interface Cell {
  day: Day;
  point: Point | undefined;
  kind: "known" | "missing" | "incomplete" | "estimated";
}

function kindOf(point: Point | undefined): Cell["kind"] {
  if (!point || point.readings === 0) return "missing";
  if (point.readings < point.expected) return "incomplete";
  return point.quality.estimated + point.quality.substituted > 0 ? "estimated" : "known";
}

function textOf({ day, point, kind }: Cell, unit: string | null): string {
  const date = format.dayText(day);
  if (!point || kind === "missing") return `${date}: nothing stored`;
  const readings = `${format.count(point.readings)} of ${format.count(point.expected)} readings`;
  const changed = point.quality.estimated + point.quality.substituted;
  const estimated = changed > 0 ? `, ${format.count(changed)} of them estimated` : "";
  return `${date}: ${format.withUnit(point.sum, unit)}, ${readings}${estimated}`;
}

function cellsOf(year: number, series: Series | undefined): Cell[] {
  const points = new Map(series?.series.map((point) => [point.start, point]));
  const cells: Cell[] = [];
  for (let day = `${year}-01-01`; yearOf(day) === year; day = plus(day, 1)) {
    const point = points.get(day);
    cells.push({ day, point, kind: kindOf(point) });
  }
  return cells;
}

export interface HeatMapProps {
  year: number;
  series: Series | undefined;
  /** Marked; both inclusive. */
  from: Day;
  to: Day;
  onPick: (day: Day) => void;
}

/** A year, a day a cell: weeks from left to right, Monday on top. */
export function HeatMap(props: HeatMapProps): JSX.Element {
  const { year, series, from, to } = props;
  const unit = series?.unit ?? null;
  const cells = useMemo(() => cellsOf(year, series), [year, series]);
  const steps = useMemo(() => stepsOf(cells.flatMap(({ point }) =>
    typeof point?.sum === "number" ? [point.sum] : [])), [cells]);
  const [active, setActive] = useState<number>();
  const grid = useRef<HTMLDivElement>(null);
  const lead = weekdayOf(`${year}-01-01`);
  const picked = cells.findIndex(({ day }) => day === from);
  const current = Math.min(active ?? Math.max(0, picked), cells.length - 1);
  const shown = cells[current];

  function onKeyDown(event: KeyboardEvent): void {
    const moves: Record<string, number> = {
      ArrowUp: -1, ArrowDown: 1, ArrowLeft: -daysOfWeek, ArrowRight: daysOfWeek,
      Home: -current, End: cells.length, PageUp: -28, PageDown: 28,
    };
    const move = moves[event.key];
    if (move !== undefined) setActive(Math.max(0, Math.min(cells.length - 1, current + move)));
    else if ((event.key === "Enter" || event.key === " ") && shown) props.onPick(shown.day);
    else return;
    event.preventDefault();
  }

  function cellAt(event: MouseEvent): number | undefined {
    const { target } = event;
    const text = target instanceof HTMLElement ? target.dataset["index"] : undefined;
    return text === undefined ? undefined : Number(text);
  }

  const months = cells.flatMap(({ day }, index) => day.endsWith("-01") || index === 0
    ? [{ name: format.monthText(day), column: Math.floor((lead + index) / daysOfWeek) }] : []);

  /** Of the cells of a row, from left to right. */
  function indicesOf(weekday: number): number[] {
    const first = (weekday - lead + daysOfWeek) % daysOfWeek;
    const length = Math.ceil((cells.length - first) / daysOfWeek);
    return Array.from({ length }, (_, week) => first + week * daysOfWeek);
  }

  const rows = Array.from({ length: daysOfWeek }, (_, weekday) => (
    <div role="row" class="week-row" key={weekday}>
      <span role="rowheader" class="weekday" style={{ gridRow: weekday + 2 }}>
        {format.weekdayText(weekday)}
      </span>
      {indicesOf(weekday).map((index) => {
        const cell = cells[index];
        if (!cell) return null;
        const { day, point, kind } = cell;
        const heat = point && typeof point.sum === "number" ? classOf(point.sum, steps) : "none";
        return (
          <div key={day} id={`day-${day}`} role="gridcell" data-index={index} data-kind={kind}
            data-heat={heat} aria-label={textOf(cell, unit)}
            aria-selected={day >= from && day <= to}
            class={index === current && active !== undefined ? "cell active" : "cell"}
            style={{
              gridArea: `${weekday + 2} / ${Math.floor((lead + index) / daysOfWeek) + 2}`,
            }} />
        );
      })}
    </div>
  ));

  return (
    <div class="heat-map">
      <p class="readout" aria-hidden="true">{shown && textOf(shown, unit)}</p>
      <div ref={grid} role="grid" tabIndex={0} class="days"
        data-whole={daysBetween(from, to) > 60} onKeyDown={onKeyDown}
        aria-label={`Days of ${year}; arrow keys move, Enter shows the day`}
        aria-activedescendant={shown && `day-${shown.day}`}
        onMouseMove={(event) => setActive(cellAt(event) ?? active)}
        onMouseLeave={() => setActive(undefined)}
        onClick={(event) => {
          const cell = cells[cellAt(event) ?? -1];
          if (cell) props.onPick(cell.day);
        }}>
        <div role="row" class="week-row" aria-hidden="true">
          {months.map(({ name, column }) => (
            <span class="month" key={column} style={{ gridRow: 1, gridColumn: column + 2 }}>
              {name}
            </span>
          ))}
        </div>
        {rows}
      </div>
      <Legend steps={steps} unit={unit} />
    </div>
  );
}

function Legend({ steps, unit }: { steps: number[]; unit: string | null }): JSX.Element {
  const top = steps.at(-1) ?? 0;
  return (
    <ul class="legend">
      <li>
        <span>below {format.amount(steps[1])}</span>
        {steps.map((_, index) => <i key={index} class="cell" data-heat={index} />)}
        <span>{format.withUnit(top, unit)} and more</span>
      </li>
      <li><i class="cell" data-kind="missing" /> nothing stored</li>
      <li><i class="cell" data-kind="incomplete" data-heat="2" /> incomplete</li>
      <li><i class="cell" data-kind="estimated" data-heat="2" /> with estimates</li>
    </ul>
  );
}
