import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import * as api from "./api.ts";
import { type Answer, Shown, useAnswer } from "./ask.tsx";
import { Chart, type Line } from "./chart.tsx";
import { Curve, Save } from "./curve.tsx";
import { daysBetween, type Range, rangeAround, yearOf } from "./days.ts";
import * as format from "./format.ts";
import { HeatMap } from "./heatmap.tsx";
import { channelText, pathOfYear, wantedOf } from "./readings.ts";
import { change, hrefOf, type Route, useWritten } from "./route.ts";
import { Versions } from "./versions.tsx";

/** One meter: its year, a curve, and how both came to be. */
export function MeterView({ route }: { route: Route }): JSX.Element {
  const { id, parameters } = route;
  const answer = useAnswer<api.Meter>(api.ofMeter(id));
  const meter = answer.data?.channels.length ? answer.data : undefined;
  const { range, chosen, resolution, asOf, ...paths } = wantedOf(route, meter);
  // Asked for here and not below, as most links say enough to do so before the meter is known.
  const year = useAnswer<api.Consumption>(paths.year);
  const curve = useAnswer<api.Consumption>(paths.curve);
  const hasReadings = useAfterwards(isDone(year) && isDone(curve));
  useWritten(route, meter && range && { ...range });
  return (
    <Shown answer={answer} what={`meter ${id}`}>
      {(known) => !meter || !range || !resolution
        ? <p class="empty">Of {known.meter} only register reads are stored, and no days.</p>
        : (
          <>
            <header class="view-head">
              <h1>{meter.meter}</h1>
              <Facts meter={meter} />
            </header>
            <Year meter={meter} chosen={chosen} range={range} answer={year} />
            <Curve meter={meter} chosen={chosen} range={range} resolution={resolution}
              answer={curve} compare={parameters["compare"]} asOf={asOf}
              zoom={parameters["zoom"]} />
            {hasReadings &&
              <Below meter={meter.meter} chosen={chosen} range={range} asOf={asOf} />}
          </>
        )}
    </Shown>
  );
}

function isDone({ data, problem }: Answer<api.Consumption>): boolean {
  return data !== undefined || problem !== undefined;
}

/** Whether it has ever held, from the frame after. */
function useAfterwards(holds: boolean): boolean {
  const [has, setHas] = useState(false);
  useEffect(() => { if (holds) setHas(true); }, [holds]);
  return has;
}

/** What is known of the days besides their readings; asked for when those are drawn. */
function Below(props: {
  meter: string; chosen: api.KnownChannel | undefined; range: Range; asOf: string | undefined;
}): JSX.Element {
  const { meter, chosen, range, asOf } = props;
  const ofYear = rangeAround(range.from, "year");
  const isLong = daysBetween(range.from, range.to) >= 6;
  return (
    <>
      {range.from === range.to &&
        <Versions meter={meter} day={range.from} chosen={chosen} asOf={asOf} />}
      <div class="two">
        <ProfilePanel meter={meter} range={isLong ? range : ofYear} chosen={chosen} />
        <GapsPanel meter={meter} range={ofYear} />
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
  meter: api.Meter; chosen: api.KnownChannel | undefined; range: Range;
  answer: Answer<api.Consumption>;
}): JSX.Element {
  const { meter, chosen, range, answer } = props;
  const year = yearOf(range.from);
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
          <Save path={pathOfYear(meter.meter, range)} name={`${meter.meter}_${year}_day.csv`} />
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
