import type { JSX } from "preact";

import type { Delivery, Finding } from "./api.ts";
import * as format from "./format.ts";

const states: Record<Delivery["state"], string> = {
  stored: "stored", skipped: "there already", refused: "refused", failed: "failed",
  withdrawn: "withdrawn",
};

export function State({ delivery }: { delivery: Delivery }): JSX.Element {
  return <span class="badge" data-state={delivery.state}>{states[delivery.state]}</span>;
}

/** `january.csv` of `upload:january.csv` and of `/data/january.csv`. */
export function nameOf({ source }: { source: string }): string {
  return source.replace(/^upload:/, "").replace(/^.*\/(?=.)/, "");
}

/** What a delivery is and what became of its rows. */
export function Report({ delivery }: { delivery: Delivery }): JSX.Element {
  const { rows, readings } = delivery;
  return (
    <div class="report">
      {delivery.reason && <p class="reason">{delivery.reason}</p>}
      <dl class="facts-list">
        <dt>Source</dt><dd>{delivery.source}</dd>
        <dt>Recognised as</dt>
        <dd>{delivery.state === "refused" && !delivery.recognisedBy &&
          "nothing that is known; read as "}
          {delivery.format ?? "no format"}
          {delivery.recognisedBy && `: ${delivery.recognisedBy}`}
          {delivery.feed && ` (feed ${delivery.feed.name})`}</dd>
        <dt>Rows</dt>
        <dd>{format.count(rows.read)} read: {format.count(rows.stored)} stored,{" "}
          {format.count(rows.repeated)} repeated, {format.count(rows.rejected)} rejected</dd>
        <dt>Readings</dt>
        <dd>{format.count(readings.stored)} stored, {format.count(readings.missing)} missing,{" "}
          {format.count(readings.rejected)} rejected</dd>
        <dt>Unit, time zone</dt>
        <dd>{delivery.unit ?? "as each channel says"}, {delivery.zone ?? "none said"}</dd>
        <dt>Received</dt>
        <dd>{format.instantText(delivery.receivedAt)}, {format.bytesText(delivery.bytes)}</dd>
      </dl>
      {delivery.findings && delivery.findings.length > 0 &&
        <Findings findings={delivery.findings} counts={delivery.findingCounts} />}
    </div>
  );
}

function Findings(props: {
  findings: Finding[]; counts: Record<string, number>;
}): JSX.Element {
  const all = Object.values(props.counts).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <h3>Found in it: {Object.entries(props.counts).map(([code, count]) =>
        `${format.count(count)} ${code.replaceAll("_", " ")}`).join(", ")}</h3>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Findings">
        <table>
          <thead><tr><th scope="col" class="number">Line</th>
            <th scope="col" class="number">Column</th><th scope="col">Reason</th>
            <th scope="col">What stands there</th></tr></thead>
          <tbody>
            {props.findings.map((finding, index) => (
              <tr key={index}>
                <td class="number">{finding.line > 0 ? format.count(finding.line) : ""}</td>
                <td class="number">{finding.column > 0 ? format.count(finding.column) : ""}</td>
                <td>{finding.text}</td>
                <td><code>{finding.excerpt}</code></td>
              </tr>))}
          </tbody>
        </table>
      </div>
      {all > props.findings.length && (
        <p class="quiet">The first {format.count(props.findings.length)} of{" "}
          {format.count(all)} are kept.</p>)}
    </>
  );
}
