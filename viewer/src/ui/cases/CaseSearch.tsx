import { useEffect, useRef, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";

import { CloseIcon, SearchIcon } from "../shell/icons";
import styles from "./CasesPage.module.css";

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
    <div className={styles.search} role="search">
      <SearchIcon />
      <input
        ref={props.field}
        type="search"
        value={text}
        placeholder={t("cases.search")}
        aria-label={t("cases.search")}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.currentTarget.value)}
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
        data-testid="case-search"
      />
      {text && (
        <button type="button" aria-label={t("worklist.clear")} onClick={() => setText("")}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}
