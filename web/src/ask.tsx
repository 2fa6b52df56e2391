import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import { ask, Problem } from "./api.ts";

export interface Answer<T> {
  /** While a next one is awaited, that of the question before. */
  data: T | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  again: () => void;
}

interface Known<T> {
  path: string | undefined;
  data?: T;
  problem?: Problem;
}

/** The answer to a GET; nothing is asked as long as `path` is undefined. */
export function useAnswer<T>(path: string | undefined): Answer<T> {
  const [known, setKnown] = useState<Known<T>>({ path: undefined });
  const [tries, setTries] = useState(0);
  // At once: an effect would wait for the next frame before it asks.
  useLayoutEffect(() => {
    if (path === undefined) {
      setKnown({ path });
      return;
    }
    const abort = new AbortController();
    ask<T>(path, abort.signal).then(
      (data) => setKnown({ path, data }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(String(error), 0);
        setKnown({ path, problem });
      },
    );
    return () => abort.abort();
  }, [path, tries]);
  return {
    data: known.data,
    problem: known.path === path ? known.problem : undefined,
    isLoading: path !== undefined && known.path !== path,
    again: () => {
      setKnown({ path: undefined });
      setTries((count) => count + 1);
    },
  };
}

/** What of an answer is shown, and else that it is awaited, or why there is none. */
export function Shown<T>(props: {
  answer: Answer<T>;
  what: string;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { answer, what } = props;
  if (answer.problem) return <Failed problem={answer.problem} what={what} again={answer.again} />;
  if (answer.data === undefined) return <p class="quiet" role="status">Loading {what} …</p>;
  return <div aria-busy={answer.isLoading}>{props.children(answer.data)}</div>;
}

export function Failed(props: {
  problem: Problem;
  what: string;
  again?: () => void;
}): JSX.Element {
  return (
    <div class="failed" role="alert">
      <p><strong>No {props.what}.</strong> {props.problem.message}</p>
      {props.again && <button type="button" onClick={props.again}>Try again</button>}
    </div>
  );
}
