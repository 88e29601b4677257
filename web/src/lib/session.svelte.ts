// Who is signed in. Decides once at the start whether this is a first run, a visitor, or a user.
import { currentUser, login, logout, setupState } from '../api/endpoints';
import { ApiError, setCsrfToken } from '../api/client';
import type { User } from '../api/model';

class Session {
  user = $state.raw<User | null>(null);
  ready = $state(false);
  setupNeeded = $state(false);
  failure = $state.raw<ApiError | null>(null);

  async read(): Promise<void> {
    this.failure = null;
    try {
      const user = await currentUser();
      this.user = user;
      this.setupNeeded = false;
      setCsrfToken(user.csrf_token ?? null);
    } catch (error) {
      this.user = null;
      setCsrfToken(null);
      await this.#readSetup(error);
    }
    this.ready = this.failure === null;
  }

  async login(username: string, password: string): Promise<void> {
    const answer = await login(username, password);
    setCsrfToken(answer.csrf_token);
    this.user = answer.user;
  }

  async logout(): Promise<void> {
    await logout();
    this.end();
  }

  end(): void {
    this.user = null;
    setCsrfToken(null);
  }

  async #readSetup(error: unknown): Promise<void> {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) {
      this.failure = error;
      return;
    }
    try {
      this.setupNeeded = (await setupState()).needed;
    } catch (second) {
      this.failure = second instanceof ApiError ? second : error;
    }
  }
}

export const session = new Session();
