import type { JSX, RefObject } from "preact";
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

/** Finds meters from anywhere; `/` leads here. */
export function Search(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
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
  return (
    <div class="search" role="search">
      <MeterBox input={input} id="found" label="Find a meter" placeholder="Find a meter  ( / )"
        onPick={(meter) => {
          input.current?.blur();
          go(hrefOf("meter", meter));
        }} />
    </div>
  );
}

export interface MeterBoxProps {
  /** Of the list of what is found. */
  id: string;
  label: string;
  placeholder: string;
  input?: RefObject<HTMLInputElement>;
  /** The meter that is picked, empty for none; undefined: this box does not keep what is picked. */
  value?: string;
  /** Empty: what was picked is taken away. */
  onPick: (meter: string) => void;
}

/** Finds a meter by the beginning of its id, as one types. */
export function MeterBox(props: MeterBoxProps): JSX.Element {
  const { id, value } = props;
  const [typed, setTyped] = useState<string>();
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const prefix = (typed ?? value ?? "").trim();
  const isWrong = prefix !== "" && !/^[\w.:-]{1,64}$/.test(prefix);
  const answer = useAnswer<api.Meters>(isOpen && !isWrong
    ? api.query("v1/meters", { prefix, limit: String(shownMax) }) : undefined);
  // While the answer is on its way, what is known already of the one before.
  const meters = isWrong ? []
    : answer.data?.meters.filter(({ meter }) => meter.startsWith(prefix)) ?? [];
  const isListed = isOpen && meters.length > 0;

  function pick(meter: string): void {
    setOpen(false);
    setTyped(undefined);
    props.onPick(meter);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(0, Math.min(meters.length - 1, active + step)));
    } else if (event.key === "Enter") {
      // What was typed whole counts even before the list has come.
      const meter = answer.isLoading && !isWrong && prefix ? prefix : meters[active]?.meter;
      if (meter) pick(meter);
    } else if (event.key === "Escape") {
      setOpen(false);
      if (value !== undefined) setTyped(undefined);
    }
  }

  function onBlur(): void {
    setOpen(false);
    if (value === undefined || typed === undefined) return;
    const isWhole = prefix === "" || meters.some(({ meter }) => meter === prefix);
    if (isWhole || (answer.isLoading && !isWrong)) pick(prefix);
    else setTyped(undefined);
  }

  return (
    <div class="picker">
      <input ref={props.input ?? null} type="text" role="combobox" aria-label={props.label}
        aria-expanded={isListed} aria-controls={id} aria-autocomplete="list"
        aria-activedescendant={isListed && meters[active] ? `${id}-${active}` : undefined}
        placeholder={props.placeholder} value={typed ?? value ?? ""} spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={({ currentTarget }) => {
          currentTarget.select();
          setOpen(true);
        }}
        onBlur={onBlur}
        onKeyDown={onKeyDown} />
      <ul id={id} class="found" role="listbox" aria-label="Meters found" hidden={!isListed}>
        {meters.map((meter, index) => (
          <li key={meter.meter} id={`${id}-${index}`} role="option"
            aria-selected={index === active}
            onMouseDown={(event) => {
              event.preventDefault();
              pick(meter.meter);
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
