import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

import * as api from "./api.ts";
import { Shown, useAnswer } from "./ask.tsx";
import { Chart, type Line } from "./chart.tsx";
import { channelText, Curve, Save } from "./curve.tsx";
import { daysBetween, isDay, type Range, rangeAround, today, yearOf } from "./days.ts";
import * as format from "./format.ts";
import { HeatMap } from "./heatmap.tsx";
import { change, hrefOf, type Route } from "./route.ts";
import { Versions } from "./versions.tsx";

/** One meter: its year, a curve, and how both came to be. */
export function MeterView({ route }: { route: Route }): JSX.Element {
  const answer = useAnswer<api.Meter>(api.ofMeter(route.id));
  return (
    <Shown answer={answer} what={`meter ${route.id}`}>
      {(meter) => meter.channels.length === 0
        ? <p class="empty">Of {meter.meter} only register reads are stored, and no days.</p>
        : <KnownMeter meter={meter} parameters={route.parameters} />}
    </Shown>
  );
}

function lastDay(meter: api.Meter): string {
  const days = meter.channels.flatMap(({ last }) => last ?? []);
  return days.sort().at(-1) ?? today();
}

/** What the link says, or else the last week that has something. */
function rangeOf(meter: api.Meter, { from, to }: Route["parameters"]): Range {
  if (isDay(from) && isDay(to) && from <= to) return { from, to };
  return rangeAround(isDay(from) ? from : lastDay(meter), isDay(from) ? "day" : "week");
}

function KnownMeter(props: {
  meter: api.Meter; parameters: Route["parameters"];
}): JSX.Element {
  const { meter, parameters } = props;
  const range = rangeOf(meter, parameters);
  const year = yearOf(range.from);
  const chosen = meter.channels.find((channel) => channelText(channel) === parameters["channel"])
    ?? meter.channels.find(({ flow }) => flow === "consumption") ?? meter.channels[0];
  const isOneDay = range.from === range.to;
  const asOf = isOneDay ? parameters["asOf"] : undefined;
  const ofYear = rangeAround(range.from, "year");
  const isLong = daysBetween(range.from, range.to) >= 6;
  return (
    <>
      <header class="view-head">
        <h1>{meter.meter}</h1>
        <Facts meter={meter} />
      </header>
      <Year meter={meter} chosen={chosen} year={year} range={range} />
      <Curve meter={meter} chosen={chosen} range={range} compare={parameters["compare"]}
        asOf={asOf} zoom={parameters["zoom"]} />
      {isOneDay && <Versions meter={meter.meter} day={range.from} chosen={chosen} asOf={asOf} />}
      <div class="two">
        <ProfilePanel meter={meter.meter} range={isLong ? range : ofYear} chosen={chosen} />
        <GapsPanel meter={meter.meter} range={ofYear} />
      </div>
    </>
  );
}

function Facts({ meter }: { meter: api.Meter }): JSX.Element {
  return (
    <ul class="facts">
      {meter.channels.map((channel) => (
        <li key={channelText(channel)}>
          <b>{channelText(channel)}</b> {channel.unit ?? "unknown unit"},{" "}
          every {channel.interval} minutes, {channel.zone ?? "no time zone known"}
          {channel.first && channel.last &&
            `, ${format.rangeText({ from: channel.first, to: channel.last })}`}
        </li>
      ))}
    </ul>
  );
}

function Year(props: {
  meter: api.Meter; chosen: api.KnownChannel | undefined; year: number; range: Range;
}): JSX.Element {
  const { meter, chosen, year, range } = props;
  const path = api.query(api.ofMeter(meter.meter, "consumption"),
    { from: `${year}-01-01`, to: `${year}-12-31`, resolution: "day" });
  const answer = useAnswer<api.Consumption>(path);
  const show = (next: Range) => change({ ...next, zoom: undefined, asOf: undefined });
  const years = meter.channels.flatMap(({ first, last }) => first && last
    ? [yearOf(first), yearOf(last)] : []);
  const of = (data: api.Consumption) => data.channels.find((channel) => chosen &&
    channel.channel === chosen.channel && channel.flow === chosen.flow);
  const move = (by: number) => show(rangeAround(`${year + by}-01-01`, "year"));
  return (
    <section class="panel" aria-labelledby="year-title">
      <div class="panel-head">
        <h2 id="year-title">{year}</h2>
        <div class="bar">
          <button type="button" aria-label="Year before" disabled={year <= Math.min(...years)}
            onClick={() => move(-1)}>←</button>
          <button type="button" aria-label="Year after" disabled={year >= Math.max(...years)}
            onClick={() => move(1)}>→</button>
          {meter.channels.length > 1 && chosen && (
            <label>Channel{" "}
              <select value={channelText(chosen)} onChange={({ currentTarget: { value } }) =>
                change({ channel: value })}>
                {meter.channels.map((channel) => (
                  <option key={channelText(channel)}>{channelText(channel)}</option>))}
              </select>
            </label>
          )}
          <Save path={path} name={`${meter.meter}_${year}_day.csv`} />
        </div>
      </div>
      <Shown answer={answer} what={`days of ${year}`}>
        {(data) => (
          <HeatMap year={year} series={of(data)} from={range.from} to={range.to}
            onPick={(day) => show({ from: day, to: day })} />
        )}
      </Shown>
    </section>
  );
}

function ProfilePanel(props: {
  meter: string; range: Range; chosen: api.KnownChannel | undefined;
}): JSX.Element {
  const { meter, range, chosen } = props;
  const answer = useAnswer<api.Profile>(api.query(api.ofMeter(meter, "profile"), { ...range }));
  return (
    <section class="panel" aria-labelledby="profile-title">
      <div class="panel-head">
        <h2 id="profile-title">An average day</h2>
        <p class="quiet">{format.rangeText(range)}</p>
      </div>
      <Shown answer={answer} what="average day">
        {(data) => <ProfileChart channel={data.channels.find(({ channel, flow }) =>
          channel === chosen?.channel && flow === chosen.flow)} />}
      </Shown>
    </section>
  );
}

type ProfileChannel = api.Profile["channels"][number];

function ProfileChart({ channel }: { channel: ProfileChannel | undefined }): JSX.Element {
  const starts = useMemo(
    () => channel?.profile.map(({ start }) => `2024-01-01T${start}:00`) ?? [], [channel]);
  const lines = useMemo<Line[]>(() => [
    { label: "Monday to Friday", colour: "--consumption", kind: "area",
      values: channel?.profile.map(({ weekday }) => weekday.average) ?? [] },
    { label: "Saturday and Sunday", colour: "--compared", kind: "dashed",
      values: channel?.profile.map(({ weekend }) => weekend.average) ?? [] },
  ], [channel]);
  if (!channel || channel.count === 0)
    return <p class="empty">No hour of these days is whole.</p>;
  const describe = (index: number) => {
    const point = channel.profile[index];
    return point ? `${format.timeText(point.start)}: ` +
      `${format.withUnit(point.weekday.average, channel.unit)} Monday to Friday, ` +
      `${format.withUnit(point.weekend.average, channel.unit)} Saturday and Sunday` : "";
  };
  return (
    <>
      <Chart label={`Average day, ${channel.unit ?? "unknown unit"} an hour`} starts={starts}
        lines={lines} height={200} describe={describe} isClock
        hint="The mean of each hour that is whole." />
      <ul class="legend">
        {lines.map(({ label, colour, kind }) => (
          <li key={label}><i class={`line ${kind}`} data-colour={colour} /> {label}</li>))}
      </ul>
      <dl class="facts-list">
        <dt>Average hour</dt><dd>{format.withUnit(channel.average, channel.unit)}</dd>
        <dt>Highest hour</dt><dd>{channel.peak
          ? `${format.withUnit(channel.peak.sum, channel.unit)}, ` +
            `${format.dayText(channel.peak.start)}, ${format.timeText(channel.peak.start)}`
          : format.unknown}</dd>
        <dt>Load factor</dt><dd>{channel.loadFactor === null ? format.unknown
          : format.share(channel.loadFactor, 1)}</dd>
      </dl>
    </>
  );
}

const gapsMax = 60;

function GapsPanel({ meter, range }: { meter: string; range: Range }): JSX.Element {
  const answer = useAnswer<api.MeterGaps>(api.query(api.ofMeter(meter, "gaps"), { ...range }));
  return (
    <section class="panel" aria-labelledby="gaps-title">
      <div class="panel-head">
        <h2 id="gaps-title">Gaps</h2>
        <p class="quiet">{yearOf(range.from)}</p>
      </div>
      <Shown answer={answer} what="gaps">
        {({ channels }) => (
          <>
            {channels.map((channel) => (
              <ChannelGaps key={channelText(channel)} meter={meter} channel={channel} />))}
          </>
        )}
      </Shown>
    </section>
  );
}

function ChannelGaps(props: {
  meter: string; channel: api.MeterGaps["channels"][number];
}): JSX.Element {
  const { meter, channel } = props;
  return (
    <div>
      <h3>{channelText(channel)}: {format.count(channel.complete)} of{" "}
        {format.count(channel.days)} days complete</h3>
      {channel.gaps.length === 0 ? <p class="quiet">Nothing is missing.</p> : (
        <ul class="list" tabIndex={0} aria-label={`Gaps of ${channelText(channel)}`}>
          {channel.gaps.slice(0, gapsMax).map((gap) => (
            <li key={gap.from}>
              <a href={hrefOf("meter", meter, { from: gap.from, to: gap.to })}>
                {format.rangeText(gap)}</a>
              {gap.kind === "missing"
                ? <span>{gap.days === 1 ? "nothing stored"
                  : `${format.count(gap.days)} days, nothing stored`}</span>
                : <span>{format.count(gap.readings)} of {format.count(gap.expected ?? 0)}{" "}
                    readings</span>}
            </li>
          ))}
        </ul>
      )}
      {channel.gaps.length > gapsMax && (
        <p class="quiet">The first {gapsMax} of {format.count(channel.gaps.length)}.</p>)}
    </div>
  );
}
