// Each line of stdin is a JSON list of charts; on stdout a line with, for each, the type and title that Mermaid finds, or its
// error.
import { createInterface } from "node:readline";
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

for await (const line of createInterface({ input: process.stdin })) {
  const answers = [];
  for (const text of JSON.parse(line)) answers.push(await answer(text));
  console.log(JSON.stringify(answers));
}
