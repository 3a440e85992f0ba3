import type { KeyboardEvent, RefObject } from "react";
import { useTranslation } from "react-i18next";

import { CloseIcon, SearchIcon } from "./icons";
import styles from "./ListPage.module.css";

/** The field above a list by which it is narrowed down. */
export function SearchField(props: {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly text: string;
  readonly label: string;
  readonly onText: (text: string) => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLInputElement>) => void;
  readonly testid: string;
}) {
  const { t } = useTranslation();
  return (
    <div className={styles.search} role="search">
      <SearchIcon />
      <input
        ref={props.field}
        type="search"
        value={props.text}
        placeholder={props.label}
        aria-label={props.label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => props.onText(event.currentTarget.value)}
        onKeyDown={props.onKeyDown}
        data-testid={props.testid}
      />
      {props.text && (
        <button type="button" aria-label={t("worklist.clear")} onClick={() => props.onText("")}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}
