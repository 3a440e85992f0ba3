import { useEffect, useRef, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";

import { SearchField } from "../shell/SearchField";

const TYPING_MS = 200;

/** By number, patient, organ or stain. */
export function CaseSearch(props: {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly words: string;
  readonly onWords: (words: string) => void;
}) {
  const { t } = useTranslation();
  const { words, onWords } = props;
  const [text, setText] = useState(words);
  const latest = useRef(onWords);
  useEffect(() => {
    latest.current = onWords;
  });
  useEffect(() => setText(words), [words]);
  useEffect(() => {
    if (text.trim() === words) return undefined;
    const timer = window.setTimeout(() => latest.current(text.trim()), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [text, words]);

  return (
    <SearchField
      field={props.field}
      text={text}
      label={t("cases.search")}
      onText={setText}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          setText("");
          event.currentTarget.blur();
        }
        if (event.key === "Enter" || event.key === "ArrowDown") {
          event.preventDefault();
          event.currentTarget.blur();
        }
      }}
      testid="case-search"
    />
  );
}
