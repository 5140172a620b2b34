// Requests to the run's API. The token is kept in this tab only.
let token = sessionStorage.getItem("rayocr-token") || "";

export function useToken(given) {
  token = given;
  sessionStorage.setItem("rayocr-token", given);
}

export class TokenNeeded extends Error {}

export async function ask(path, options = {}) {
  const headers = {...(token ? {Authorization: "Bearer " + token} : {}), ...(options.body ? {"Content-Type": "application/json"} : {})};
  const answer = await fetch(path, {...options, headers});
  if (answer.status === 401) throw new TokenNeeded("This run requires a token.");
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(typeof problem.detail === "string" ? problem.detail : "The run answered with " + answer.status + ".");
  }
  return answer;
}

export const json = async path => (await ask(path)).json();
export const post = (path, body) => ask(path, {method: "POST", ...(body ? {body: JSON.stringify(body)} : {})});

// Calls back with every status that the run sends, until it ends.
export async function follow(onStatus) {
  const reader = (await ask("/events")).body.getReader(), decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    text += decoder.decode(value, {stream: true});
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) onStatus(JSON.parse(part.slice(6)));
  }
}
