import { useEffect, useState } from "preact/hooks";

export type View = "meter" | "all" | "deliveries";

/** What is shown, as the address bar has it behind the `#`: `#/meter/EX00027?from=2025-01-01`. */
export interface Route {
  view: View;
  /** Of a meter or a delivery; empty for none. */
  id: string;
  parameters: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", id = ""] = path.split("/", 2);
  let decoded = "";
  try {
    decoded = decodeURIComponent(id);
  } catch {
    // A link cut short: it names no meter.
  }
  return {
    view: view === "all" || view === "deliveries" ? view : "meter",
    id: decoded,
    parameters: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function hrefOf(
  view: View, id = "", parameters: Record<string, string | undefined> = {},
): string {
  const given = Object.entries(parameters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
  const query = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
  return `#/${view}${id && "/" + encodeURIComponent(id)}${query}`;
}

export function go(href: string): void {
  location.hash = href;
}

/** Changes some parameters of what is shown; undefined takes one away. */
export function change(parameters: Record<string, string | undefined>): void {
  const route = parseRoute(location.hash);
  go(hrefOf(route.view, route.id, { ...route.parameters, ...parameters }));
}

/** Writes into the address what is shown where the link left it open, as no step to go back to. */
export function useWritten(route: Route, shown: Record<string, string> | undefined): void {
  const isOpen = Object.entries(shown ?? {})
    .some(([name, value]) => route.parameters[name] !== value);
  const href = isOpen && hrefOf(route.view, route.id, { ...route.parameters, ...shown });
  useEffect(() => { if (href) history.replaceState(history.state, "", href); }, [route, href]);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const update = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return route;
}
