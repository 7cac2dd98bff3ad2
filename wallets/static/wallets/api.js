// The site's JSON API from a page: same origin, session cookie, CSRF header, problem details turned into errors.

/** An answer that was not a success. `message` is a sentence for people; `code` and `errors` are for the program. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = "network", errors = [] } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** Calls `path` and returns the parsed JSON (null for an empty answer). Throws ApiError. */
export async function api(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError("The site could not be reached. Check your connection and try again.");
  }
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // Answers that are not JSON (a proxy's error page) are described by their status below.
  }
  if (response.ok) return data;
  throw new ApiError(data?.detail || statusSentence(response.status), {
    status: response.status,
    code: data?.code ?? `http_${response.status}`,
    errors: data?.errors ?? [],
  });
}

function statusSentence(status) {
  if (status === 401) return "You are signed out. Connect your wallet again.";
  if (status === 403) return "The site refused this request. Reload the page and try again.";
  if (status === 429) return "That was too often. Wait a minute and try again.";
  if (status >= 500) return "The site had a problem of its own. Nothing was changed; try again in a moment.";
  return `The request was refused (status ${status}).`;
}
