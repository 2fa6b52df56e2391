import type { Range } from "./days.ts";

/** Numbers, days and times as the browser's locale writes them. */

/** Made when it is first needed: to make all of them takes longer than to draw a page. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

function numbers(options: Intl.NumberFormatOptions): () => Intl.NumberFormat {
  return once(() => new Intl.NumberFormat(undefined, options));
}

function dates(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  return once(() => new Intl.DateTimeFormat(undefined, options));
}

const whole = numbers({ maximumFractionDigits: 0 });
const upToThree = numbers({ maximumFractionDigits: 3 });
const percent = numbers({ style: "percent", maximumFractionDigits: 1 });
const change = numbers({
  style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero",
});
const compact = numbers({ notation: "compact", maximumFractionDigits: 1 });
const longDay = dates({
  timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric",
});
const shortDay = dates({ timeZone: "UTC", day: "numeric", month: "short" });
const monthName = dates({ timeZone: "UTC", month: "short" });
const monthAndYear = dates({ timeZone: "UTC", month: "long", year: "numeric" });
const weekdayName = dates({ timeZone: "UTC", weekday: "short" });
const clock = dates({ timeZone: "UTC", hour: "2-digit", minute: "2-digit" });
const instant = dates({
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  second: "2-digit",
});

export const unknown = "–";

export function count(value: number): string {
  return whole().format(value);
}

export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  return Math.abs(value) >= 10_000 ? whole().format(value) : upToThree().format(value);
}

/** For axes. */
export function tick(value: number): string {
  return Math.abs(value) >= 10_000 ? compact().format(value) : upToThree().format(value);
}

export function withUnit(value: number | null | undefined, unit: string | null): string {
  return unit && value !== null ? `${amount(value)} ${unit}` : amount(value);
}

/** A part that is not the whole is never shown as 100 %. */
export function share(part: number, of: number): string {
  if (of === 0) return unknown;
  const ratio = part / of;
  return percent().format(ratio < 1 ? Math.min(ratio, 0.999) : ratio);
}

export function changeOf(before: number, after: number): string {
  return before === 0 ? unknown : change().format(after / before - 1);
}

function at(label: string): Date {
  return new Date((label.length > 10 ? label.slice(0, 16) : label + "T00:00") + "Z");
}

/** A label is a day, or a local time with or without the offset from UTC. */
export function dayText(label: string): string {
  return longDay().format(at(label));
}

export function shortDayText(label: string): string {
  return shortDay().format(at(label));
}

export function monthText(label: string): string {
  return monthName().format(at(label));
}

export function monthAndYearText(label: string): string {
  return monthAndYear().format(at(label));
}

/** 0 is Monday. */
export function weekdayText(weekday: number): string {
  return weekdayName().format(new Date(Date.UTC(2024, 0, 1 + weekday)));
}

export function timeText(label: string): string {
  return clock().format(at(label.length > 10 ? label : "2024-01-01T" + label));
}

const rangeTexts = new Map<string, string>();
const rangeTextsMax = 1000;

/** Kept, as many meters have the same range, and to write one takes long. */
export function rangeText({ from, to }: Range): string {
  if (from === to) return dayText(from);
  const key = `${from} ${to}`;
  let text = rangeTexts.get(key);
  if (text === undefined) {
    text = longDay().formatRange(at(from), at(to));
    if (rangeTexts.size >= rangeTextsMax) rangeTexts.clear();
    rangeTexts.set(key, text);
  }
  return text;
}

/** Makes what most views write with, for when there is nothing else to do. */
export function prepare(): void {
  count(0);
  amount(0);
  share(1, 1);
  rangeText({ from: "2024-01-01", to: "2024-12-31" });
  dayText("2024-01-01");
  monthText("2024-01-01");
  weekdayText(0);
}

/** In the time zone of the browser. */
export function instantText(text: string): string {
  return instant().format(new Date(text));
}

export function bytesText(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; ++unit) size /= 1000;
  return new Intl.NumberFormat(undefined, {
    style: "unit", unit: units[unit] ?? "byte", unitDisplay: "short",
    maximumFractionDigits: unit === 0 ? 0 : 1,
  }).format(size);
}
