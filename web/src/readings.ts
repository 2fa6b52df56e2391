/** Which readings a view of a meter asks for. */
import * as api from "./api.ts";
import { daysBetween, isDay, type Range, rangeAround, today } from "./days.ts";
import type { Route } from "./route.ts";

/** More than a screen has room for is not asked for. */
const pointsMax = 2500;
const minutesOfDay = 1440;

export type Resolution = "interval" | "hour" | "day" | "month";

/** The finest that fits. */
export function resolutionFor(range: Range, intervalMinutes: number): Resolution {
  const days = daysBetween(range.from, range.to) + 1;
  if (days * minutesOfDay / intervalMinutes <= pointsMax) return "interval";
  if (days * 24 <= pointsMax) return "hour";
  return days <= pointsMax ? "day" : "month";
}

export function pathOf(
  meter: string, range: Range, resolution: Resolution, asOf?: string | undefined,
): string {
  return api.query(api.ofMeter(meter, "consumption"), { ...range, resolution, asOf });
}

export function pathOfYear(meter: string, range: Range): string {
  return pathOf(meter, rangeAround(range.from, "year"), "day");
}

/** A name that differs between the channels of a meter. */
export function channelText(channel: api.Channel): string {
  return channel.channel === channel.flow ? channel.flow : `${channel.channel} (${channel.flow})`;
}

function isPower(unit: string | null): boolean {
  return unit !== null && /^[kM]?(W|VA|var)$/.test(unit);
}

function lastDay(meter: api.Meter): string {
  const days = meter.channels.flatMap(({ last }) => last ?? []);
  return days.sort().at(-1) ?? today();
}

/** What the link says, or else the last week that has something. */
function rangeOf(
  { from, to }: Route["parameters"], meter: api.Meter | undefined,
): Range | undefined {
  if (isDay(from)) return isDay(to) && from <= to ? { from, to } : rangeAround(from, "day");
  return meter && rangeAround(lastDay(meter), "week");
}

function chosenOf({ channels }: api.Meter, name: string | undefined): api.KnownChannel | undefined {
  return channels.find((channel) => channelText(channel) === name)
    ?? channels.find(({ flow }) => flow === "consumption") ?? channels[0];
}

/** Undefined as long as it depends on the meter. */
function resolutionOf(
  range: Range, meter: api.Meter | undefined, chosen: api.Channel | undefined,
): Resolution | undefined {
  if (!meter) {
    const finest = resolutionFor(range, 5);
    return finest === resolutionFor(range, 60) ? finest : undefined;
  }
  if (chosen && isPower(chosen.unit)) return "interval";
  return resolutionFor(range, Math.min(...meter.channels.map(({ interval }) => interval), 60));
}

/** What a view shows of a meter, as far as its link and, when it is known, the meter tell. */
export interface Wanted {
  range: Range | undefined;
  chosen: api.KnownChannel | undefined;
  resolution: Resolution | undefined;
  asOf: string | undefined;
  /** Paths of questions. */
  year: string | undefined;
  curve: string | undefined;
}

export function wantedOf({ id, parameters }: Route, meter?: api.Meter): Wanted {
  const range = rangeOf(parameters, meter);
  const chosen = meter && chosenOf(meter, parameters["channel"]);
  const resolution = range && resolutionOf(range, meter, chosen);
  const asOf = range?.from === range?.to ? parameters["asOf"] : undefined;
  return {
    range, chosen, resolution, asOf,
    year: range && pathOfYear(id, range),
    curve: range && resolution && pathOf(id, range, resolution, asOf),
  };
}
