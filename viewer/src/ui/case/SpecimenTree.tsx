import { useTranslation } from "react-i18next";

import type { Block, Case, Glass, Specimen } from "../../api/cases";
import { GlassCard } from "./GlassCard";
import styles from "./SpecimenTree.module.css";

interface TreeProps {
  readonly shown: Case;
  /** Null for who may not ask. */
  readonly onRescan: ((glass: Glass) => void) | null;
  readonly onWork: ((block: string) => void) | null;
}

/** Specimens, their blocks, their slides: as the laboratory says they belong together. */
export function SpecimenTree(props: TreeProps) {
  const { t } = useTranslation();
  const { specimens } = props.shown;
  if (specimens.length === 0) {
    return <p className={styles.none}>{t("case.nothingYet")}</p>;
  }
  return (
    <div className={styles.tree}>
      {specimens.map((specimen) => (
        <Part key={specimen.id ?? "loose"} specimen={specimen} {...props} />
      ))}
    </div>
  );
}

function Part(props: TreeProps & { readonly specimen: Specimen }) {
  const { t } = useTranslation();
  const { specimen } = props;
  const facts = [specimen.organ, specimen.laterality, specimen.collection].filter(Boolean);
  return (
    <section className={styles.part} data-testid="specimen">
      <header className={styles.partHead}>
        <h2>{specimen.identifier ?? t("case.noSpecimen")}</h2>
        {facts.length > 0 && <span>{facts.join(" · ")}</span>}
        {specimen.description && <span className={styles.muted}>{specimen.description}</span>}
        {specimen.cancelled && <span className={styles.cancelled}>{t("case.cancelled")}</span>}
      </header>
      {specimen.blocks.map((block) => (
        <BlockRow key={block.id ?? "loose"} block={block} {...props} />
      ))}
      {specimen.blocks.length === 0 && <p className={styles.muted}>{t("case.noBlock")}</p>}
    </section>
  );
}

function BlockRow(props: TreeProps & { readonly block: Block }) {
  const { t } = useTranslation();
  const { block, onWork } = props;
  const { identifier: name } = block;
  return (
    <div className={styles.block} data-testid="block">
      <div className={styles.blockHead}>
        <h3>
          {name ? t("case.block", { name }) : t("case.looseSlides")}
        </h3>
        {block.embedding && <span className={styles.muted}>{block.embedding}</span>}
        {onWork && name && !block.cancelled && (
          <button
            type="button"
            className={styles.ask}
            onClick={() => onWork(name)}
            data-testid="ask-work"
          >
            {t("case.askWork")}
          </button>
        )}
      </div>
      <div className={styles.slides}>
        {block.slides.map((glass) => (
          <GlassCard key={glass.id} glass={glass} onRescan={props.onRescan} />
        ))}
      </div>
    </div>
  );
}
