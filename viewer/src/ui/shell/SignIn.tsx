import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useSignIn } from "../../api/queries";
import { LanguageSwitch } from "./LanguageSwitch";
import { sentenceFor } from "./problem";
import { Reticle } from "./Reticle";
import styles from "./SignIn.module.css";

export function SignIn(props: { readonly returning: boolean }) {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [incomplete, setIncomplete] = useState(false);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const missing = !name.trim() || !password;
    setIncomplete(missing);
    if (!missing) signIn.mutate({ name: name.trim(), password }, { onError: () => setPassword("") });
  };

  const problem = (): string | null => {
    if (incomplete) return t("signIn.fillBoth");
    const { error } = signIn;
    if (!error) return null;
    if (error instanceof ApiProblem && error.detail === null) {
      if (error.status === 401) return t("signIn.wrong");
      if (error.status === 429) {
        return t("signIn.tooMany", { seconds: error.retryAfterSeconds ?? 60 });
      }
    }
    return sentenceFor(error, t);
  };
  const sentence = problem();

  return (
    <main className={styles.screen}>
      <Reticle className={styles.reticle} />
      <div className={styles.language}>
        <LanguageSwitch />
      </div>
      <form className={styles.form} onSubmit={submit} data-testid="sign-in" noValidate>
        <header className={styles.product}>
          <h1>{t("product.short")}</h1>
          <p>{t("product.name")}</p>
        </header>
        {props.returning && <p className={styles.again}>{t("signIn.again")}</p>}
        <TextInput
          label={t("signIn.name")}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          size="md"
          autoFocus
          value={name}
          error={sentence !== null}
          aria-describedby="sign-in-problem"
          onChange={(event) => setName(event.currentTarget.value)}
          data-testid="sign-in-name"
        />
        <PasswordInput
          label={t("signIn.password")}
          name="password"
          autoComplete="current-password"
          size="md"
          value={password}
          error={sentence !== null}
          aria-describedby="sign-in-problem"
          visibilityToggleButtonProps={{ "aria-label": t("signIn.show") }}
          onChange={(event) => setPassword(event.currentTarget.value)}
          data-testid="sign-in-password"
        />
        <p className={styles.problem} id="sign-in-problem" role="alert" data-testid="sign-in-problem">
          {sentence}
        </p>
        <Button type="submit" size="md" loading={signIn.isPending} data-testid="sign-in-submit">
          {t("signIn.submit")}
        </Button>
      </form>
    </main>
  );
}
