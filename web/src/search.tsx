import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import * as api from "./api.ts";
import { useAnswer } from "./ask.tsx";
import * as format from "./format.ts";
import { go, hrefOf } from "./route.ts";

const shownMax = 12;

function rangeOf({ channels }: api.Meter): string {
  const first = channels.flatMap((channel) => channel.first ?? []).sort()[0];
  const last = channels.flatMap((channel) => channel.last ?? []).sort().at(-1);
  return first && last ? format.rangeText({ from: first, to: last }) : "";
}

/** Finds meters by the beginning of their id, as one types. `/` leads here from anywhere. */
export function Search(): JSX.Element {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const prefix = text.trim();
  const isWrong = prefix !== "" && !/^[\w.:-]{1,64}$/.test(prefix);
  const answer = useAnswer<api.Meters>(isOpen && !isWrong
    ? api.query("v1/meters", { prefix, limit: String(shownMax) }) : undefined);
  const meters = isWrong ? [] : answer.data?.meters ?? [];

  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const { target } = event;
      const isTyping = target instanceof HTMLElement &&
        target.matches("input, select, textarea, dialog *");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);

  function show(meter: string | undefined): void {
    if (!meter) return;
    setOpen(false);
    setText("");
    input.current?.blur();
    go(hrefOf("meter", meter));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(0, Math.min(meters.length - 1, active + step)));
    } else if (event.key === "Enter") {
      // What was typed whole counts even before the list has come.
      show(answer.isLoading && prefix ? prefix : meters[active]?.meter);
    } else if (event.key === "Escape") {
      setOpen(false);
    }
  }

  return (
    <div class="search" role="search">
      <input ref={input} type="text" role="combobox" aria-label="Find a meter"
        aria-expanded={isOpen} aria-controls="found" aria-autocomplete="list"
        aria-activedescendant={isOpen && meters[active] ? `found-${active}` : undefined}
        placeholder="Find a meter  ( / )" value={text} spellcheck={false} autocomplete="off"
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown} />
      <ul id="found" role="listbox" aria-label="Meters found" hidden={!isOpen || !meters.length}>
        {meters.map((meter, index) => (
          <li key={meter.meter} id={`found-${index}`} role="option"
            aria-selected={index === active}
            onMouseDown={(event) => {
              event.preventDefault();
              show(meter.meter);
            }}>
            <b>{meter.meter}</b> <span>{rangeOf(meter)}</span>
          </li>
        ))}
      </ul>
      <p class="found-none" role="status">
        {isOpen && answer.problem ? answer.problem.message
          : isOpen && isWrong ? "A meter id has letters, digits and _ - . : only."
          : isOpen && answer.data && meters.length === 0 && !answer.isLoading
            ? "No meter begins so." : ""}
      </p>
    </div>
  );
}
