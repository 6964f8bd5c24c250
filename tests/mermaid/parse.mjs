// Charts as a JSON list on stdin; on stdout for each the type and title that Mermaid finds, or its error.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");
await mermaid.parse("info"); // with it the kinds of diagrams become known

async function answer(text) {
  try {
    const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    return { type, title: db.getDiagramTitle() };
  } catch (error) {
    return { error: String(error) };
  }
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
const answers = [];
for (const text of JSON.parse(input)) answers.push(await answer(text));
console.log(JSON.stringify(answers));
