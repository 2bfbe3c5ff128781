"""The demo's page, as a Space runs it.

python app.py                  # http://127.0.0.1:7860
PORT=8000 python app.py        # another port; GRADIO_SERVER_PORT does the same
GRADIO_SERVER_NAME=0.0.0.0 python app.py    # for other machines too; on a Space this is the default
GRADIO_MCP_SERVER=True python app.py        # with an MCP server for assistants; needs gradio[mcp]
"""

from interface.server import main

if __name__ == "__main__":
    main()
