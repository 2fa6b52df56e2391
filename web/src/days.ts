/** Days of the calendar, as texts like `2025-03-30`, which compare as they follow each other. */
export type Day = string;

const dayMillis = 86_400_000;

function toMillis(day: Day): number {
  return Date.parse(day + "T00:00:00Z");
}

function fromMillis(millis: number): Day {
  return new Date(millis).toISOString().slice(0, 10);
}

export function isDay(text: string | undefined): text is Day {
  if (text === undefined || !/^(19|20|21)\d\d-\d\d-\d\d$/.test(text)) return false;
  const millis = toMillis(text);
  return !Number.isNaN(millis) && fromMillis(millis) === text;
}

export function plus(day: Day, days: number): Day {
  return fromMillis(toMillis(day) + days * dayMillis);
}

/** How many days `to` is after `from`. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((toMillis(to) - toMillis(from)) / dayMillis);
}

/** 0 is Monday. */
export function weekdayOf(day: Day): number {
  return (new Date(toMillis(day)).getUTCDay() + 6) % 7;
}

export function today(): Day {
  const now = new Date();
  return fromMillis(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()));
}

export function yearOf(day: Day): number {
  return Number(day.slice(0, 4));
}

/** Both inclusive. */
export interface Range {
  from: Day;
  to: Day;
}

export type Span = "day" | "week" | "month" | "year";

/** The day, week (from Monday), month or year that a day lies in. */
export function rangeAround(day: Day, span: Span): Range {
  const year = yearOf(day);
  if (span === "day") return { from: day, to: day };
  if (span === "week") {
    const from = plus(day, -weekdayOf(day));
    return { from, to: plus(from, 6) };
  }
  if (span === "year") return { from: `${year}-01-01`, to: `${year}-12-31` };
  const month = Number(day.slice(5, 7));
  return {
    from: day.slice(0, 8) + "01",
    to: fromMillis(Date.UTC(year, month, 0)),
  };
}

/** Which of them a range is exactly, if any. */
export function spanOf(range: Range): Span | undefined {
  const spans: Span[] = ["day", "week", "month", "year"];
  return spans.find((span) => rangeAround(range.from, span).from === range.from &&
    rangeAround(range.from, span).to === range.to);
}

/** The range of the same kind before (-1) or after (+1) it. */
export function neighbour(range: Range, direction: -1 | 1): Range {
  const span = spanOf(range);
  const beside = direction < 0 ? plus(range.from, -1) : plus(range.to, 1);
  if (span) return rangeAround(beside, span);
  const days = daysBetween(range.from, range.to) + 1;
  return { from: plus(range.from, direction * days), to: plus(range.to, direction * days) };
}
