
// The studio's part: Gradio runs this behind tbd/assets/live/live.js, with `element` and `props` of the component (tbd/studio/layout.py).
liveFace(element, () => {
  const address = new URL(props.value.socket, document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}, () => "");
