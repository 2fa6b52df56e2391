/**
 * Asks what a link to a meter asks for. page.tsx imports it before all else, so that the server
 * works while the rest of the script is run; the views join in what is on its way by then.
 */
import * as api from "./api.ts";
import { wantedOf } from "./readings.ts";
import { parseRoute } from "./route.ts";

const route = parseRoute(location.hash);
if (route.view === "meter" && route.id) {
  const { year, curve } = wantedOf(route);
  const abort = new AbortController();
  for (const path of [api.ofMeter(route.id), year, curve])
    if (path) api.ask(path, abort.signal).catch(() => undefined);
  // The views have asked by then.
  setTimeout(() => abort.abort());
}
