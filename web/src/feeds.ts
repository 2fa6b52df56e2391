import known from "meterline:feeds";

/** A layout that the server can read: its name, what it is of, and patterns of its columns. */
export interface Feed {
  name: string;
  title: string;
  columns: string[];
}

export const feeds: Feed[] = known;

function patternOf(column: string): RegExp {
  const parts = column.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i");
}

function fieldsOf(header: string): string[] {
  const delimiter = [";", "\t", "|", ","].find((one) => header.split(one).length > 2) ?? ",";
  return header.split(delimiter).map((field) => field.trim().replace(/^"|"$/g, ""))
    .filter((field) => field !== "" && !/^[\d:.\s/-]+$/.test(field));
}

export interface NearFeed {
  feed: Feed;
  /** Of the file's header: columns that the feed knows. */
  known: string[];
  unknown: string[];
}

/** The feeds that know most columns of a file's header, the best first. */
export function nearFeeds(header: string): NearFeed[] {
  const fields = fieldsOf(header);
  const near = feeds.map((feed) => {
    const patterns = feed.columns.map(patternOf);
    const isKnown = (field: string) => patterns.some((pattern) => pattern.test(field));
    return { feed, known: fields.filter(isKnown),
      unknown: fields.filter((field) => !isKnown(field)) };
  });
  return near.filter(({ known: some }) => some.length > 0 && some.length * 3 >= fields.length)
    .sort((a, b) => b.known.length - a.known.length || (a.feed.name < b.feed.name ? -1 : 1))
    .slice(0, 3);
}
